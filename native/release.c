/* Which installation of rdo this is. Client and master compare it, so that an upgrade in place is noticed. */
#include "rdo.h"

#include <dirent.h>
#include <string.h>

static const char PROTOCOL[] = "9";

/* RDO_VERSION is that of rdo/__init__.py. In a checkout, RDO_PACKAGE is the package's directory. */
#ifndef RDO_PACKAGE
#define RDO_PACKAGE ""
#endif

static const char *packages_in(const char *library) {
    static const char *const NAMES[] = {"/site-packages/rdo", "/dist-packages/rdo"}; /* the second is Debian's */
    struct stat info;
    for (size_t i = 0; i < 2; i++) {
        const char *place = keep_joined(library, NAMES[i], "");
        if (stat(place, &info) == 0)
            return place;
    }
    return NULL;
}

/* The only package in the prefix that we are installed in; if there are several, only Python knows which is ours. */
static const char *find_package(void) {
    const char *library = keep_joined(path_parent(path_parent(own_path())), "/lib", ""), *found = NULL;
    DIR *directory = opendir(library);
    if (directory == NULL)
        hand_over();
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, "python", 6) != 0) /* in ~/Library/Python/3.x on macOS, no digit follows */
            continue;
        const char *place = packages_in(path_join(library, entry->d_name));
        if (place != NULL && found != NULL)
            hand_over();
        found = place != NULL ? place : found;
    }
    closedir(directory);
    if (found == NULL)
        hand_over();
    return found;
}

/* The directory of the package. */
const char *release_place(void) {
    static const char *place;
    if (place == NULL)
        place = *RDO_PACKAGE != '\0' ? RDO_PACKAGE : find_package();
    return place;
}

/* Protocol, version, and installation. */
const char *release_version(void) {
    struct bytes version = {0};
    struct stat info;
    append_text(&version, PROTOCOL);
    append_text(&version, " " RDO_VERSION);
    /* Not the time of the directory, which changes when Python first compiles what an installer did not. */
    if (stat(release_place(), &info) == 0) /* otherwise it is being replaced at this moment */
        append_format(&version, " %llx", (unsigned long long)info.st_ino);
    if (stat(keep_joined(release_place(), "/__init__.py", ""), &info) == 0)
        append_format(&version, " %llx-%llx", (unsigned long long)info.st_ino, (unsigned long long)modified_ns(&info));
    return as_text(&version);
}
