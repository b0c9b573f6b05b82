/* Reassembles the frames of the control socket, however they were split. Stream data is returned as it arrives. */
#include "rdo.h"

#include <string.h>

static bool is_stream(char kind) {
    return kind == 'O' || kind == 'D' || kind == 'I';
}

void decoder_receive(struct decoder *decoder, const char *data, size_t size) {
    decoder->data = data;
    decoder->size = size;
}

static const char *take(struct decoder *decoder, size_t size) {
    const char *taken = decoder->data;
    decoder->data += size;
    decoder->size -= size;
    return taken;
}

/* Fill the buffer up to `size` bytes, if that many have arrived. */
static bool fill(struct decoder *decoder, size_t size) {
    size_t missing = size - decoder->buffer.size, there = missing < decoder->size ? missing : decoder->size;
    append(&decoder->buffer, take(decoder, there), there);
    return there == missing;
}

static uint32_t length_of(const char *header) {
    const unsigned char *bytes = (const unsigned char *)header + 1;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The next frame, valid until the next call; of a stream, the data that has arrived. False if no frame is complete, or
 * if one was too long. */
bool decoder_next(struct decoder *decoder, struct frame *frame) {
    if (decoder->is_given)
        decoder->buffer.size = 0;
    decoder->is_given = false;
    while (decoder->left == 0) {
        size_t there = decoder->buffer.size;
        if (decoder->too_long || !fill(decoder, there < HEADER_SIZE ? HEADER_SIZE : there))
            return false;
        uint32_t length = length_of(decoder->buffer.data);
        if (length > FRAME_LIMIT) {
            decoder->too_long = length;
            return false;
        }
        frame->kind = decoder->buffer.data[0];
        if (is_stream(frame->kind)) {
            decoder->kind = frame->kind;
            decoder->left = decoder->length = length;
            decoder->buffer.size = 0;
            continue;
        }
        decoder->is_given = fill(decoder, HEADER_SIZE + length);
        frame->data = decoder->buffer.data + HEADER_SIZE;
        frame->size = length;
        return decoder->is_given;
    }
    frame->kind = decoder->kind;
    frame->size = decoder->left < decoder->size ? decoder->left : decoder->size;
    frame->data = take(decoder, frame->size);
    decoder->left -= frame->size;
    return frame->size > 0;
}

void write_header(char *header, char kind, size_t length) {
    header[0] = kind;
    for (int i = 0; i < 4; i++)
        header[1 + i] = (char)(unsigned char)(length >> (24 - 8 * i) & 0xff);
}

void append_frame(struct bytes *bytes, char kind, const void *payload, size_t size) {
    char header[HEADER_SIZE];
    write_header(header, kind, size);
    append(bytes, header, sizeof header);
    append(bytes, payload, size);
}
