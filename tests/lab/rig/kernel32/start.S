/* A multiboot 1 kernel: header, a stack, and on to C. */
        .set    FLAGS, 3                /* modules on pages, sizes of memory */
        .section .head, "a"
        .align  4
        .long   0x1BADB002, FLAGS, -(0x1BADB002 + FLAGS)
        .text
        .globl  _start
_start: movl    $top, %esp
        pushl   %ebx
        pushl   %eax
        call    begin
stop:   hlt
        jmp     stop
        .bss
        .align  16
        .skip   16384
top:
        .section .note.GNU-stack, "", @progbits
