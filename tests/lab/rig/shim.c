/* Loaded in front of libc by a lab test: what no block layer here can play.
 *
 *   LAB_SHIM=short        every second read or write of a block device does only 4096 bytes of what was asked
 *   LAB_SHIM=wrap:BYTES   a key that claims more than it holds and starts over at its true end
 *   LAB_SHIM=drop:BYTES   the same, but what lies past the end is thrown away and reads as zeros
 *   LAB_SHIM_LOG=FILE     a line per call that was meddled with, so that a test knows it happened
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

typedef ssize_t (*move)(int, void *, size_t, off64_t);

static move real(const char *name) { return (move)dlsym(RTLD_NEXT, name); }

static void note(const char *what, off64_t offset)
{
	const char *path = getenv("LAB_SHIM_LOG");
	FILE *log = path ? fopen(path, "a") : NULL;
	if (log) {
		fprintf(log, "%s %lld\n", what, (long long)offset);
		fclose(log);
	}
}

static int is_block(int fd)
{
	struct stat facts;
	return fstat(fd, &facts) == 0 && S_ISBLK(facts.st_mode);
}

static ssize_t meddled(const char *name, int fd, void *data, size_t size, off64_t offset, int writing)
{
	static unsigned calls;
	const char *how = getenv("LAB_SHIM");
	if (!how || !is_block(fd))
		return real(name)(fd, data, size, offset);
	if (strcmp(how, "short") == 0) {
		if (size > 4096 && __sync_fetch_and_add(&calls, 1) % 2) {
			note("short", offset);
			size = 4096;
		}
		return real(name)(fd, data, size, offset);
	}
	off64_t limit = atoll(strchr(how, ':') + 1);
	if (offset + (off64_t)size <= limit)
		return real(name)(fd, data, size, offset);
	if (offset < limit)
		size = limit - offset;
	else if (strncmp(how, "wrap:", 5) == 0) {
		note("wrapped", offset);
		offset %= limit;
		if (offset + (off64_t)size > limit)
			size = limit - offset;
	} else {
		note("dropped", offset);
		if (!writing)
			memset(data, 0, size);
		return size;
	}
	return real(name)(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	return meddled("pwrite64", fd, (void *)data, size, offset, 1);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset)
{
	return meddled("pread64", fd, data, size, offset, 0);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return meddled("pwrite64", fd, (void *)data, size, offset, 1);
}

ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
	return meddled("pread64", fd, data, size, offset, 0);
}

/* One piece at a time: to the caller it is a short write or read, which must be handled anyway. */
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset)
{
	return count ? meddled("pwrite64", fd, pieces[0].iov_base, pieces[0].iov_len, offset, 1) : 0;
}

ssize_t preadv64(int fd, const struct iovec *pieces, int count, off64_t offset)
{
	return count ? meddled("pread64", fd, pieces[0].iov_base, pieces[0].iov_len, offset, 0) : 0;
}

ssize_t pwritev64v2(int fd, const struct iovec *pieces, int count, off64_t offset, int flags)
{
	(void)flags;
	return pwritev64(fd, pieces, count, offset);
}

ssize_t preadv64v2(int fd, const struct iovec *pieces, int count, off64_t offset, int flags)
{
	(void)flags;
	return preadv64(fd, pieces, count, offset);
}
