#include "netpold_version.h"

#ifndef NETPOLD_VERSION
#define NETPOLD_VERSION ""
#endif

const char *netpold_built_version(void) { return NETPOLD_VERSION; }
