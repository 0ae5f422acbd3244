/*
 * Stands in for the SmartOS kernel: reads what the loader handed over the way the kernel does, and tells it on the
 * console it was told to use. The facts are illumos': boot properties are taken from `-B name=value,...` and then
 * from the module `type=environment` (NUL-separated name=value), where what is set already stays and names with
 * certain beginnings are passed over (uts/i86pc/os/fakebop.c); a module says `type=` and `name=` in its line
 * (uts/i86pc/dboot/dboot_startkern.c). Of several values of one name on the line the last one counts.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

struct multiboot { u32 flags, lower, upper, device, cmdline, count, modules, others[9], loader; };
struct module { u32 start, end, line, reserved; };
struct text { const char *at; u32 size; };

#define MAX 256
static struct text names[MAX], values[MAX];
static u32 known;
static u16 port;   /* of the serial console; 0: the screen */
static u32 place;  /* on the screen */

static const char *const passed_over[] = {
	"ISADIR", "acpi", "autoboot_delay", "beansi_", "beastie", "bemenu", "boot.", "bootenv", "currdev", "dhcp.",
	"interpret", "kernel", "loaddev", "loader_", "mainansi_", "mainmenu_", "maintoggled_", "menu_timeout_command",
	"menuset_", "module_path", "nfs.", "optionsansi_", "optionsmenu_", "optionstoggled_", "pcibios", "prompt",
	"smbios", "tem", "twiddle_divisor", "zfs_be",
};

static void outb(u16 to, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(to)); }
static u8 inb(u16 from) { u8 v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(from)); return v; }

static u32 length(const char *s) { u32 n = 0; while (s[n]) n++; return n; }
static int starts(const char *s, u32 size, const char *with)
{
	u32 n = length(with), i;
	if (size < n) return 0;
	for (i = 0; i < n; i++) if (s[i] != with[i]) return 0;
	return 1;
}
static int same(struct text a, const char *b) { return a.size == length(b) && starts(a.at, a.size, b); }

/* One letter on the console. Of the screen, what its memory then holds goes to QEMU's debug port, to be read. */
static void put(char c)
{
	volatile u8 *screen = (volatile u8 *)0xb8000;
	if (port) {
		while (!(inb(port + 5) & 0x20)) ;
		outb(port, (u8)c);
		return;
	}
	if (c == '\n') {
		outb(0xe9, '\n');
		place = (place / 80 + 1) % 25 * 80;
		return;
	}
	screen[place * 2] = (u8)c;
	screen[place * 2 + 1] = 7;
	outb(0xe9, screen[place * 2]);
	place = (place + 1) % 2000;
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
static void hex(u32 value, u32 digits)
{
	while (digits--) put("0123456789abcdef"[value >> digits * 4 & 15]);
}

static struct text *find(struct text name)
{
	u32 i, j;
	for (i = 0; i < known; i++) {
		if (names[i].size != name.size) continue;
		for (j = 0; j < name.size && names[i].at[j] == name.at[j]; j++) ;
		if (j == name.size) return &values[i];
	}
	return 0;
}
static struct text property(const char *name)
{
	struct text want = { name, length(name) }, none = { 0, 0 }, *found = find(want);
	return found ? *found : none;
}
static void set(const char *name, u32 name_size, const char *value, u32 value_size)
{
	struct text n = { name, name_size }, v = { value, value_size }, *old = find(n);
	if (old) { *old = v; return; }
	if (known == MAX) return;
	names[known] = n;
	values[known++] = v;
}

/* GRUB 2 puts a backslash before quotes and backslashes of a line; neither GRUB Legacy nor the loader does. */
static void as_said(char *line, const char *loader)
{
	char *to = line;
	if (!starts(loader, length(loader), "GRUB 2")) return;
	for (; *line; *to++ = *line++)
		if (*line == '\\' && (line[1] == '\'' || line[1] == '"' || line[1] == '\\')) line++;
	*to = 0;
}

static int space(char c) { return c == ' ' || c == '\t'; }

/* ` -B name=value,name='a,b'`: a comma or a blank ends a value that is in no quotes. */
static void from_line(const char *s)
{
	while (*s && !(space(s[0]) && s[1] == '-' && s[2] == 'B')) s++;
	if (!*s) return;
	for (s += 3; space(*s); s++) ;
	while (*s && !space(*s)) {
		const char *name = s, *value;
		u32 n = 0, quoted;
		while (*s && *s != '=') s++;
		if (!*s) return;
		value = ++s;
		quoted = *s == '\'' || *s == '"';
		if (quoted) for (n = 1; value[n] && value[n] != *s; n++) ;
		while (value[n] && value[n] != ',' && !space(value[n])) n++;
		s = value + n;
		if (quoted && n > 1 && value[n - 1] == value[0]) set(name, value - name - 1, value + 1, n - 2);
		else set(name, value - name - 1, value, n);
		while (*s == ',') s++;
	}
}
static void from_environment(const char *s, const char *end)
{
	u32 i, n;
	for (; s < end && *s; s += n + 1) {
		struct text name = { s, 0 };
		n = length(s);
		while (name.size < n && s[name.size] != '=') name.size++;
		if (name.size + 1 >= n || find(name)) continue; /* nothing said, or said already */
		for (i = 0; i < sizeof passed_over / sizeof *passed_over; i++)
			if (starts(name.at, name.size, passed_over[i])) break;
		if (i == sizeof passed_over / sizeof *passed_over)
			set(s, name.size, s + name.size + 1, n - name.size - 1);
	}
}

static int holds(const char *line, const char *word)
{
	for (; *line; line++) if (starts(line, length(line), word)) return 1;
	return 0;
}

/* The port of ttya to ttyd, at the speed of its `-mode` (9600 where it has none). 1 where there is a console. */
static int open_console(void)
{
	static const u16 ports[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
	struct text console = property("console"), mode;
	u32 speed = 0, i;
	char name[] = "ttyX-mode";
	for (i = 0; i < console.size; i++) if (console.at[i] == ',') console.size = i; /* the first of a list */
	if (same(console, "text") || same(console, "vga")) return 1;
	if (console.size != 4 || !starts(console.at, 4, "tty") || console.at[3] < 'a' || console.at[3] > 'd') return 0;
	name[3] = console.at[3];
	mode = property(name);
	for (i = 0; i < mode.size && mode.at[i] >= '0' && mode.at[i] <= '9'; i++) speed = speed * 10 + mode.at[i] - '0';
	if (!speed) speed = 9600;
	port = ports[console.at[3] - 'a'];
	outb(port + 1, 0);
	outb(port + 3, 0x80); /* the next two set the divisor */
	outb(port, (u8)(115200 / speed));
	outb(port + 1, (u8)(115200 / speed >> 8));
	i = inb(port) | (u32)inb(port + 1) << 8;
	outb(port + 3, 3); /* 8 bits, no parity, one stop bit */
	say("divisor "); hex(i, 4); say("\n");
	return 1;
}

void begin(u32 magic, struct multiboot *info);
void begin(u32 magic, struct multiboot *info)
{
	char *line = (char *)info->cmdline;
	struct module *modules = (struct module *)info->modules;
	u32 i, j, sum;
	if (magic != 0x2BADB002) return;
	if (info->flags & 0x200) as_said(line, (const char *)info->loader);
	from_line(line);
	for (i = 0; i < info->count; i++)
		if (holds((const char *)modules[i].line, "type=environment"))
			from_environment((const char *)modules[i].start, (const char *)modules[i].end);
	if (!open_console()) outb(0xf4, 1); /* nobody would hear it: QEMU ends with another code */
	say("\nline "); tell(line, length(line)); say("\n");
	for (i = 0; i < known; i++) {
		say("property "); tell(names[i].at, names[i].size);
		say("="); tell(values[i].at, values[i].size); say("\n");
	}
	for (i = 0; i < info->count; i++) {
		const char *bytes = (const char *)modules[i].start, *words = (const char *)modules[i].line;
		u32 size = modules[i].end - modules[i].start;
		for (sum = 0x811c9dc5, j = 0; j < size; j++) sum = (sum ^ (u8)bytes[j]) * 0x01000193; /* FNV-1a */
		say("module "); hex(size, 8); say(" "); hex(sum, 8); say(" ");
		for (j = 0; j < size && j < 16; j++) hex((u8)bytes[j], 2);
		say(" "); tell(words, length(words)); say("\n");
	}
	say("end\n");
	if (port) while (!(inb(port + 5) & 0x40)) ; /* until the last letter is out */
	outb(0xf4, 0x2a);
}
