/* SPDX-License-Identifier: Apache-2.0 */
/* The few Linux interfaces that Swift's Glibc module leaves out. Shims only where Swift cannot call, each says why. */
#pragma once
#include <linux/stat.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

/* AT_FDCWD of <fcntl.h>, whose <sys/stat.h> has a struct statx of its own. */
#define NP_AT_FDCWD -100

/* CLONE_NEWNET of <linux/sched.h>, which Glibc's <sched.h> hides from Swift. */
#define NP_CLONE_NEWNET 0x40000000

/* unshare(2) and setns(2) need _GNU_SOURCE, which the Glibc module is not built with. */
static inline int np_unshare_network(void)
{
	return (int)syscall(SYS_unshare, NP_CLONE_NEWNET);
}

/* CLONE_NEWNS, and a tree of mounts that is nobody else's. */
#define NP_CLONE_NEWNS 0x20000

static inline int np_unshare_mounts(void)
{
	return (int)syscall(SYS_unshare, NP_CLONE_NEWNS);
}

static inline int np_enter_network(int fd)
{
	return (int)syscall(SYS_setns, fd, NP_CLONE_NEWNET);
}

/* The CPUs that the calling thread may run on, a bit each: sched_getaffinity(2) and sched_setaffinity(2), _GNU_SOURCE
 * too. Return the bytes written; 0. -1 and errno when it fails. */
#define NP_CPU_MASK_WORDS 128 /* 8192 CPUs, the most that Linux can be built for */

static inline int np_read_affinity(unsigned long mask[NP_CPU_MASK_WORDS])
{
	return (int)syscall(SYS_sched_getaffinity, 0, NP_CPU_MASK_WORDS * sizeof(mask[0]), mask);
}

static inline int np_set_affinity(const unsigned long mask[NP_CPU_MASK_WORDS])
{
	return (int)syscall(SYS_sched_setaffinity, 0, NP_CPU_MASK_WORDS * sizeof(mask[0]), mask);
}

/* statx(2), _GNU_SOURCE too. When the file at a path was made, links followed: nanoseconds since 1970, 0 where the file
 * system does not say or there is no such file. */
static inline long long np_birth_time(const char *path)
{
	struct statx status;

	if (syscall(SYS_statx, NP_AT_FDCWD, path, 0, STATX_BTIME, &status) || !(status.stx_mask & STATX_BTIME))
		return 0;
	return status.stx_btime.tv_sec * 1000000000LL + status.stx_btime.tv_nsec;
}
