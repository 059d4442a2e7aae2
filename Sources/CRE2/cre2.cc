#include "cre2.h"

#include <re2/re2.h>

#include <cstring>

struct cre2_pattern {
    RE2 re;
    cre2_pattern(const re2::StringPiece &text, const RE2::Options &options) : re(text, options) {}
};

extern "C" {

cre2_pattern *cre2_compile(const char *text, size_t length, int64_t max_memory, cre2_failure *failure, char *words,
                           size_t capacity) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(max_memory);
    auto *pattern = new cre2_pattern(re2::StringPiece(text, length), options);
    if (pattern->re.ok()) {
        *failure = CRE2_FAILURE_NONE;
        words[0] = 0;
        return pattern;
    }
    *failure = pattern->re.error_code() == RE2::ErrorPatternTooLarge ? CRE2_FAILURE_TOO_LARGE : CRE2_FAILURE_SYNTAX;
    strncpy(words, pattern->re.error().c_str(), capacity - 1);
    words[capacity - 1] = 0;
    delete pattern;
    return nullptr;
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }

int cre2_instructions(const cre2_pattern *pattern) { return pattern->re.ProgramSize(); }

bool cre2_matches_whole(const cre2_pattern *pattern, const char *text, size_t length) {
    return pattern->re.Match(re2::StringPiece(text, length), 0, length, RE2::ANCHOR_BOTH, nullptr, 0);
}
}
