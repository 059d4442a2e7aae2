/* SPDX-License-Identifier: Apache-2.0 */
/* NP_REASON_TABLE for callers that are no C compiler. */
#include "netpold_abi.h"
#include <stddef.h>

#define NAME(name, number, text) \
	case number:             \
		return #name;
#define TEXT(name, number, text) \
	case number:             \
		return text;

const char *np_reason_name(__u8 reason)
{
	switch (reason) {
		NP_REASON_TABLE(NAME)
	default:
		return NULL;
	}
}

const char *np_reason_text(__u8 reason)
{
	switch (reason) {
		NP_REASON_TABLE(TEXT)
	default:
		return NULL;
	}
}
