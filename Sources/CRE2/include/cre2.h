// RE2 for C callers: what PolicyAPI needs of it, nothing else. Patterns are immutable; one may be used by many threads at once.
#ifndef NETPOLD_CRE2_H
#define NETPOLD_CRE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A compiled pattern.
typedef struct cre2_pattern cre2_pattern;

// Why a pattern was not compiled.
typedef enum cre2_failure {
    CRE2_FAILURE_NONE = 0,
    // It is no RE2 regular expression.
    CRE2_FAILURE_SYNTAX = 1,
    // Its program needs more memory than allowed.
    CRE2_FAILURE_TOO_LARGE = 2,
} cre2_failure;

// Compiles `length` bytes of UTF-8. `max_memory` bounds the program and what matching may cache, in bytes. On failure NULL, with
// RE2's own words in `words` (always ended by a NUL, cut to `capacity` bytes, which must be at least 1).
cre2_pattern *_Nullable cre2_compile(const char *_Nonnull text, size_t length, int64_t max_memory,
                                     cre2_failure *_Nonnull failure, char *_Nonnull words, size_t capacity);

void cre2_free(cre2_pattern *_Nonnull pattern);

// The size of the program, in instructions.
int cre2_instructions(const cre2_pattern *_Nonnull pattern);

// Whether all `length` bytes match. Takes time linear in `length`.
bool cre2_matches_whole(const cre2_pattern *_Nonnull pattern, const char *_Nullable text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
