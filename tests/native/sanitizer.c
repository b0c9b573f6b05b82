/* Linked into the client that `make asan` tests: what it finds goes to a file, since not every test has a stderr. */
const char *__asan_default_options(void);

const char *__asan_default_options(void) {
    return "detect_leaks=0:exitcode=99:log_path=" SANITIZER_LOG;
}
