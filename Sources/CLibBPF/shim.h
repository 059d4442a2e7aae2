/* SPDX-License-Identifier: Apache-2.0 */
/* libbpf as Debian 12 ships it (1.1). Shims only where Swift cannot call, each says why. */
#pragma once
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* glibc declares it for _GNU_SOURCE only, which Swift's importer does not set. */
extern const char *strerrorname_np(int number);

/* f_type of the file system a path lies on, or -1: Swift's Glibc module leaves <sys/vfs.h> out. */
static inline long np_filesystem_type(const char *path)
{
	struct statfs info;

	return statfs(path, &info) == 0 ? (long)info.f_type : -1;
}

/* glibc has no wrapper, and Swift cannot call the variadic syscall(). Returns what it says, or -errno. */
static inline int np_membarrier(int command)
{
	long answer = syscall(SYS_membarrier, command, 0, 0);

	return answer < 0 ? -errno : (int)answer;
}
