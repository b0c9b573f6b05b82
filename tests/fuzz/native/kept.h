/* What libFuzzer calls, and memory that is given back after each input: the client keeps it to its end. */
#include "../../../native/memory.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition)
        abort();
}

static void give_back(void) {
    while (last_block != NULL) {
        struct block *before = last_block->before;
        free(last_block);
        last_block = before;
    }
}
