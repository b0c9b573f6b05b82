/* The frames of the control socket, whole and in pieces: the same frames, but for where streams were cut. And each
 * payload as text for a terminal. */
#include "kept.h"

static bool is_stream_kind(char kind) {
    return kind == 'O' || kind == 'D' || kind == 'I';
}

static void check_text(const struct frame *frame) {
    struct bytes shown = {0};
    size_t count = count_utf8(frame->data, frame->size);
    append_utf8(&shown, frame->data, frame->size, count);
    require(count <= frame->size && count_utf8(shown.data, shown.size) == count);
    discard(&shown);
}

/* All frames of the data as one text, received `piece` bytes at a time. */
static struct bytes decode(const char *data, size_t size, size_t piece) {
    struct decoder decoder = {0};
    struct bytes found = {0};
    struct frame frame;
    char last = '\0';
    for (size_t start = 0; start < size; start += piece) {
        decoder_receive(&decoder, data + start, size - start < piece ? size - start : piece);
        while (decoder_next(&decoder, &frame)) {
            check_text(&frame);
            if (!is_stream_kind(frame.kind) || frame.kind != last)
                append_format(&found, "\n%c", frame.kind);
            append(&found, frame.data, frame.size);
            last = frame.kind;
        }
    }
    append_format(&found, "\n%lu", (unsigned long)decoder.too_long);
    discard(&decoder.buffer);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    struct bytes whole = decode((const char *)data + 1, size - 1, size - 1);
    struct bytes pieces = decode((const char *)data + 1, size - 1, (size_t)*data + 1);
    require(whole.size == pieces.size && memcmp(whole.data, pieces.data, whole.size) == 0);
    discard(&whole);
    discard(&pieces);
    give_back();
    return 0;
}
