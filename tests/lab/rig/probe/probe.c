/*
 * Stands in for the SmartOS kernel where only one thing is asked: what did the boot loader hand over? It is a
 * multiboot 1 kernel (with ../kernel32/start.S and kernel.ld) that tells, on COM1 at 115200 and whatever the command
 * line says about consoles, in lines of ASCII:
 *
 *     probe LOADER
 *     line COMMAND LINE
 *     module SIZE SHA1 STRING          one for each, in order; sizes in bytes, decimal
 *     hash NAME ok|mismatch|alone      one for each module `type=hash`; alone: nothing of that name is there
 *     end
 *
 * Bytes that are not printable, and backslashes, are written \xNN. Then it ends QEMU through isa-debug-exit at 0xf4
 * with 0x2A, or with 0x2B where a hash does not hold: there SmartOS would panic with "hash mismatch!". Modules are
 * understood as by illumos (uts/i86pc/dboot/dboot_startkern.c): the first word is the path, `type=`, `name=` and
 * `hash=` follow; without `name=` the path is the name; of two modules without a type the second is the hash of the
 * first. A hash is 40 hexadecimal digits.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

struct multiboot { u32 flags, lower, upper, device, cmdline, count, modules, others[9], loader; };
struct module { u32 start, end, line, reserved; };
struct text { const char *at; u32 size; };

enum { COM1 = 0x3f8, SAID = 0x2A, WRONG = 0x2B };

static void outb(u16 to, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(to)); }
static u8 inb(u16 from) { u8 v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(from)); return v; }

static u32 length(const char *s) { u32 n = 0; while (s[n]) n++; return n; }

static void open_port(void)
{
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 0x80); /* the next two set the divisor: 115200 */
	outb(COM1, 1);
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 3); /* 8 bits, no parity, one stop bit */
}
static void put(char c)
{
	while (!(inb(COM1 + 5) & 0x20)) ;
	outb(COM1, (u8)c);
}
static void say(const char *s) { while (*s) put(*s++); }
static void tell(const char *s, u32 n)
{
	static const char digits[] = "0123456789abcdef";
	u32 i;
	for (i = 0; i < n; i++) {
		u8 c = (u8)s[i];
		if (c >= ' ' && c < 0x7f && c != '\\') put((char)c);
		else { say("\\x"); put(digits[c >> 4]); put(digits[c & 15]); }
	}
}
static void number(u32 value)
{
	char digits[10];
	u32 n = 0;
	do digits[n++] = (char)('0' + value % 10); while (value /= 10);
	while (n) put(digits[--n]);
}

/* SHA-1 (FIPS 180-4). */
static u32 turned(u32 value, u32 by) { return value << by | value >> (32 - by); }
static void block(u32 h[5], const u8 *p)
{
	u32 w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f, k, t, i;
	for (i = 0; i < 16; i++, p += 4) w[i] = (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
	for (; i < 80; i++) w[i] = turned(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (i = 0; i < 80; i++) {
		if (i < 20) { f = (b & c) | (~b & d); k = 0x5A827999; }
		else if (i < 40) { f = b ^ c ^ d; k = 0x6ED9EBA1; }
		else if (i < 60) { f = (b & c) | (b & d) | (c & d); k = 0x8F1BBCDC; }
		else { f = b ^ c ^ d; k = 0xCA62C1D6; }
		t = turned(a, 5) + f + e + k + w[i];
		e = d; d = c; c = turned(b, 30); b = a; a = t;
	}
	h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e;
}
static void sha1(const u8 *data, u32 size, char hex[40])
{
	u32 h[5] = { 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0 }, i, left = size;
	u8 last[128] = { 0 };
	for (; left >= 64; data += 64, left -= 64) block(h, data);
	for (i = 0; i < left; i++) last[i] = data[i];
	last[left] = 0x80;
	i = left < 56 ? 56 : 120; /* where the size in bits begins */
	last[i + 3] = (u8)(size >> 29);
	last[i + 4] = (u8)(size >> 21);
	last[i + 5] = (u8)(size >> 13);
	last[i + 6] = (u8)(size >> 5);
	last[i + 7] = (u8)(size << 3);
	block(h, last);
	if (i == 120) block(h, last + 64);
	for (i = 0; i < 40; i++) hex[i] = "0123456789abcdef"[h[i / 8] >> (7 - i % 8) * 4 & 15];
}

/* The value of `key=` among the words after the path; size 0 and at 0 where it is not said. */
static struct text said(const char *line, const char *key)
{
	struct text none = { 0, 0 }, found;
	u32 n = length(key), i;
	while (*line && *line != ' ') line++;
	while (*line) {
		while (*line == ' ') line++;
		for (i = 0; i < n && line[i] == key[i]; i++) ;
		if (i == n && line[i] == '=') {
			found.at = line + n + 1;
			for (found.size = 0; found.at[found.size] && found.at[found.size] != ' '; found.size++) ;
			return found;
		}
		while (*line && *line != ' ') line++;
	}
	return none;
}
static struct text name_of(const struct module *m)
{
	const char *line = (const char *)m->line;
	struct text name = said(line, "name"), path = { line, 0 };
	if (name.at) return name;
	while (line[path.size] && line[path.size] != ' ') path.size++;
	return path;
}
static int same(struct text a, struct text b)
{
	u32 i;
	for (i = 0; a.size == b.size && i < a.size; i++) if (a.at[i] != b.at[i]) return 0;
	return a.size == b.size;
}
static int is(struct text a, const char *word) { struct text b = { word, length(word) }; return same(a, b); }

static char sums[64][40];

/* Whether this hash holds for the module of its name. */
static int checked(const struct module *modules, u32 count, u32 hash, int untyped)
{
	struct text name = name_of(untyped ? &modules[0] : &modules[hash]), want;
	u32 i;
	want.at = (const char *)modules[hash].start;
	want.size = modules[hash].end - modules[hash].start;
	while (want.size && (want.at[want.size - 1] == '\n' || want.at[want.size - 1] == '\r')) want.size--;
	say("hash "); tell(name.at, name.size);
	for (i = 0; i < count; i++) {
		struct text sum = { sums[i], 40 };
		if (i == hash || !same(name_of(&modules[i]), name) || is(said((const char *)modules[i].line, "type"), "hash"))
			continue;
		if (same(sum, want)) { say(" ok\n"); return 1; }
		say(" mismatch\n");
		return 0;
	}
	say(" alone\n");
	return 1;
}

void begin(u32 magic, const struct multiboot *info);
void begin(u32 magic, const struct multiboot *info)
{
	const struct module *modules = (const struct module *)info->modules;
	const char *line = info->flags & 4 ? (const char *)info->cmdline : "";
	const char *loader = info->flags & 0x200 ? (const char *)info->loader : "";
	u32 count = info->flags & 8 ? info->count : 0, i;
	int good = 1, untyped;
	if (magic != 0x2BADB002) return;
	if (count > 64) count = 64;
	open_port();
	say("\nprobe "); tell(loader, length(loader));
	say("\nline "); tell(line, length(line)); say("\n");
	for (i = 0; i < count; i++) {
		const char *words = (const char *)modules[i].line;
		u32 size = modules[i].end - modules[i].start;
		sha1((const u8 *)modules[i].start, size, sums[i]);
		say("module "); number(size); put(' '); tell(sums[i], 40); put(' '); tell(words, length(words)); say("\n");
	}
	untyped = count == 2 && !said((const char *)modules[0].line, "type").at && !said((const char *)modules[1].line, "type").at;
	for (i = 0; i < count; i++)
		if ((untyped && i == 1) || is(said((const char *)modules[i].line, "type"), "hash"))
			good &= checked(modules, count, i, untyped);
	say("end\n");
	while (!(inb(COM1 + 5) & 0x40)) ; /* until the last letter is out */
	outb(0xf4, good ? SAID : WRONG);
}
