/* Linked into the client that `make asan` tests: what AddressSanitizer finds goes to a file, since not every test has a
 * stderr. After what UBSan finds, which gcc has in a library of its own, the status is no test's. */
#define OPTIONS "exitcode=99:log_path=" SANITIZER_LOG

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void) {
    return "detect_leaks=0:" OPTIONS;
}

const char *__ubsan_default_options(void) {
    return OPTIONS;
}
