# The smallest guest that tells whether an accelerator can run one: 64-bit code with page tables that touches 32 MiB and
# counts. It says "s" on the serial port with its first instructions and "k" at the end.
#
# probe_rom.py holds what this assembles to:
#   as probe_rom.S -o rom.o && ld -Ttext=0xF0000 --oformat binary -o rom.bin rom.o
.globl _start
.code16
_start:                         # 0xF0000; the processor starts at the jump at the very end
    cli
    cld
    movw $0x3F8, %dx
    movb $'s', %al
    outb %al, %dx
    lgdtl %cs:(gdtr - _start)
    # Page tables at 0x1000, 0x2000 and 0x3000: the first gigabyte as it is, in pages of 2 MiB.
    xorw %ax, %ax
    movw %ax, %es
    movw $0x1000, %di
    movw $0x1800, %cx
    rep stosw
    movw $0x2003, %es:0x1000
    movw $0x3003, %es:0x2000
    movw $0x3000, %di
    movl $0x83, %eax
1:  movl %eax, %es:(%di)
    addw $8, %di
    addl $0x200000, %eax
    cmpw $0x4000, %di
    jb 1b
    movl %cr4, %eax
    orl $0x20, %eax             # PAE
    movl %eax, %cr4
    movl $0x1000, %eax
    movl %eax, %cr3
    movl $0xC0000080, %ecx
    rdmsr
    orl $0x100, %eax            # long mode
    wrmsr
    movl %cr0, %eax
    orl $0x80000001, %eax       # paging and protection
    movl %eax, %cr0
    ljmpl $8, $long
.balign 8
gdt: .quad 0, 0x00209A0000000000, 0x0000920000000000
gdtr: .word 23
    .long gdt
.code64
long:
    movl $0x10, %eax
    movl %eax, %ds
    movl $0x100000, %edi
2:  movl %edi, (%rdi)           # each page is a fault that the host answers: 8192 of them
    addl $4096, %edi
    cmpl $0x2100000, %edi
    jb 2b
    movl $30000000, %ecx
3:  imull $1103515245, %eax, %eax
    addl $12345, %eax
    decl %ecx
    jnz 3b
    movw $0x3F8, %dx
    movb $'k', %al
    outb %al, %dx
4:  hlt
    jmp 4b
.org 0xFFF0
.code16
    .byte 0xEA                  # ljmp 0xF000:0
    .word 0, 0xF000
.org 0x10000
