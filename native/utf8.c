/* UTF-8 text made safe for a terminal: invalid bytes are replaced as by Python's decoder. */
#include "rdo.h"

static const char REPLACEMENT[] = "\xef\xbf\xbd";

/* What may follow the first byte of a character (Unicode, table 3-7): the number of bytes, and the bounds of the first.
 * */
static size_t bytes_behind(unsigned char first, unsigned char *low, unsigned char *high) {
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first >= 0xc2 && first <= 0xdf)
        return 1;
    if (first >= 0xe0 && first <= 0xef)
        return 2;
    return first >= 0xf0 && first <= 0xf4 ? 3 : 0;
}

/* The size in bytes of the first character, or of an invalid sequence; `is_valid` says which. */
static size_t character(const char *text, size_t size, bool *is_valid) {
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char low, high;
    size_t behind = bytes_behind(bytes[0], &low, &high), taken = 1;
    for (; taken <= behind && taken < size && bytes[taken] >= low && bytes[taken] <= high; taken++) {
        low = 0x80;
        high = 0xbf;
    }
    *is_valid = bytes[0] < 0x80 || (behind > 0 && taken == behind + 1);
    return taken;
}

/* The number of characters. */
size_t count_utf8(const char *text, size_t size) {
    size_t count = 0;
    bool is_valid;
    for (size_t i = 0; i < size; count++)
        i += character(text + i, size - i, &is_valid);
    return count;
}

/* Append at most `most` characters of the text. */
void append_utf8(struct bytes *bytes, const char *text, size_t size, size_t most) {
    bool is_valid;
    for (size_t i = 0; i < size && most > 0; most--) {
        size_t taken = character(text + i, size - i, &is_valid);
        append(bytes, is_valid ? text + i : REPLACEMENT, is_valid ? taken : sizeof REPLACEMENT - 1);
        i += taken;
    }
}
