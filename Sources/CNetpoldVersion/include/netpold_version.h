#ifndef NETPOLD_VERSION_H
#define NETPOLD_VERSION_H

/* The version that the builder named (environment variable NETPOLD_VERSION of `swift build`), NUL-terminated; empty if none was. */
const char *netpold_built_version(void);

#endif
