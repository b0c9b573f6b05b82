/* Memory: blocks that are kept to the end, since the process is short-lived, and growing byte buffers. */
#include "rdo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 16 * 1024 };

struct block {
    struct block *before;
    size_t used, room;
    _Alignas(max_align_t) char data[];
};

static struct block *last_block; /* reachable from here, so that no checker reports the blocks as leaked */

static _Noreturn void fail(void) {
    static const char text[] = "rdo: out of memory\n";
    if (write(2, text, sizeof text - 1) < 0) {
    }
    _exit(FAILURE);
}

void *keep(size_t size) {
    size_t rounded = (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    if (last_block == NULL || last_block->room - last_block->used < rounded) {
        size_t room = rounded > BLOCK ? rounded : BLOCK;
        struct block *block = malloc(sizeof *block + room);
        if (block == NULL)
            fail();
        block->before = last_block;
        block->used = 0;
        block->room = room;
        last_block = block;
    }
    char *found = last_block->data + last_block->used;
    last_block->used += rounded;
    return found;
}

char *keep_text(const char *text, size_t size) {
    char *copy = keep(size + 1);
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

char *keep_joined(const char *first, const char *second, const char *third) {
    size_t a = strlen(first), b = strlen(second), c = strlen(third);
    char *joined = keep(a + b + c + 1);
    memcpy(joined, first, a);
    memcpy(joined + a, second, b);
    memcpy(joined + a + b, third, c + 1);
    return joined;
}

/* Make room for `size` more bytes, and return where they go. */
char *reserve(struct bytes *bytes, size_t size) {
    if (bytes->room - bytes->size < size) {
        size_t room = bytes->room * 2 > bytes->size + size ? bytes->room * 2 : bytes->size + size + 512;
        char *data = realloc(bytes->data, room);
        if (data == NULL)
            fail();
        bytes->data = data;
        bytes->room = room;
    }
    return bytes->data + bytes->size;
}

void append(struct bytes *bytes, const void *data, size_t size) {
    if (size > 0) {
        memcpy(reserve(bytes, size), data, size);
        bytes->size += size;
    }
}

void append_text(struct bytes *bytes, const char *text) {
    append(bytes, text, strlen(text));
}

void append_format(struct bytes *bytes, const char *format, ...) {
    char text[256]; /* for numbers and short names only */
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof text)
        fail();
    append(bytes, text, (size_t)size);
}

/* The bytes as a string that is kept. The buffer is empty afterwards. */
const char *as_text(struct bytes *bytes) {
    const char *text = keep_text(bytes->size > 0 ? bytes->data : "", bytes->size);
    discard(bytes);
    return text;
}

void discard(struct bytes *bytes) {
    free(bytes->data);
    *bytes = (struct bytes){0};
}
