/* Sector 0 of a test key: starts the GRUB core image that lies at sector CORE, as GRUB's own boot.img does.
   Shorter, because a SmartOS key keeps facts of its own in sector 0: 0x3E (GRUB keys) and 0xFA-0x115 (loader keys). */
        .code16
        .globl _start
_start: jmp     begin
        .org    0x40
begin:  cli
        ljmp    $0, $0x7c00 + flat - _start
flat:   xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x2000, %sp
        sti
        movw    $0x7c00 + packet - _start, %si
        movb    $0x42, %ah              /* read by sector number; %dl is the drive the BIOS started */
        int     $0x13
        jc      stop
        movw    $0x7c00 + packet - _start, %si
        ljmp    $0, $0x8000             /* GRUB's diskboot.img reads on, with the packet in %si */
stop:   hlt
        jmp     stop
        .byte   1                       /* diskboot.img: one byte before the packet says that it may use it */
packet: .byte   16, 0
        .word   1, 0x8000, 0
        .quad   CORE
