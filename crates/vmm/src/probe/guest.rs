//! The guest that the probe runs: what a Linux kernel asks of its CPU before its first process, in
//! eight steps, each told by a byte on a port. It walks from real mode to a program in ring 3 and
//! takes faults and an interrupt on the way, for a host that emulates may do the easy half.

use std::arch::global_asm;

/// The port that the steps are written to.
pub const STEP_PORT: u16 = 0x50;

/// The guest's RAM, bytes: its image is all it needs.
pub const MEMORY_BYTES: usize = 64 << 10;

/// Instructions of the last step, which is there to be timed.
pub const TIMED_INSTRUCTIONS: u64 = 64 * 100_000 * 4;

/// What each step shows, in the order of their numbers from 1 on.
pub const STEPS: [&str; 8] = [
    "real mode",
    "protected mode",
    "long mode with paging",
    "CPUID, the TSC and model-specific registers",
    "an invalid instruction and a page fault",
    "a program in ring 3 with a system call",
    "a timer interrupt",
    "a loop that is timed",
];

/// The image, to be loaded at address 0 and entered there in real mode.
pub fn image() -> &'static [u8] {
    unsafe extern "C" {
        static probe_guest: u8;
        static probe_guest_end: u8;
    }
    let (start, end) = (&raw const probe_guest, &raw const probe_guest_end);
    // SAFETY: both labels are in one section, below, and what is between them is never written.
    unsafe { std::slice::from_raw_parts(start, end.offset_from_unsigned(start)) }
}

// Addresses in the guest are offsets from `probe_guest`. Whatever is not as it must be ends in
// `wrong`, a triple fault.
global_asm!(
    r#"
    .pushsection .rodata.probe_guest, "a", @progbits
    .balign 4096
    .globl probe_guest, probe_guest_end
    .macro step number
        movb $\number, %al
        outb %al, ${port}
    .endm

probe_guest:
    .code16
    cli
    step 1
    lgdtl gdt_pointer - probe_guest
    movl %cr0, %eax
    orb $1, %al                         # PE
    movl %eax, %cr0
    ljmpl $0x08, $(protected - probe_guest)

    .code32
protected:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $(stack_top - probe_guest), %esp
    step 2
    movl %cr4, %eax
    orl $0x6a0, %eax                    # PAE, PGE, OSFXSR, OSXMMEXCPT
    movl %eax, %cr4
    movl $(pml4 - probe_guest), %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx              # EFER
    rdmsr
    orl $0x901, %eax                    # SCE, LME, NXE
    wrmsr
    movl %cr0, %eax
    andl $0xfffffffb, %eax              # not EM
    orl $0x80010022, %eax               # PG, WP, NE, MP
    movl %eax, %cr0
    ljmpl $0x18, $(long - probe_guest)

    .code64
long:
    movw $0x20, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $(stack_top - probe_guest), %esp
    lidtq idt_pointer - probe_guest
    movw $0x40, %ax
    ltr %ax
    step 3

    movl $0x80000001, %eax
    cpuid
    btl $29, %edx                       # LM
    jnc wrong
    rdtsc
    movl %eax, %ebx
    rdtsc
    cmpl %eax, %ebx
    je wrong
    xorl %edx, %edx
    movl $0xc0000081, %ecx              # STAR
    xorl %eax, %eax
    movl $0x002b0018, %edx
    wrmsr
    movl $0xc0000084, %ecx              # SFMASK: interrupts off in the kernel
    movl $0x200, %eax
    xorl %edx, %edx
    wrmsr
    movl $0xc0000082, %ecx              # LSTAR
    movl $(system_call - probe_guest), %eax
    wrmsr
    xorl %eax, %eax
    rdmsr
    cmpl $(system_call - probe_guest), %eax
    jne wrong
    movl $0xc0000102, %ecx              # KERNEL_GS_BASE
    movl $(per_cpu - probe_guest), %eax
    xorl %edx, %edx
    wrmsr
    swapgs
    cmpl $0x5afe, %gs:0
    jne wrong
    swapgs
    step 4

    xorl %r15d, %r15d
    ud2
    cmpl $6, %r15d
    jne wrong
    cmpl $0x5afe, 0x200000              # not mapped: the fault maps it to `per_cpu`'s page
    jne wrong
    cmpl $14, %r15d
    jne wrong
    step 5

    movl $(user - probe_guest), %ecx
    movl $0x2, %r11d
    sysretq
user:
    cli                                 # not for ring 3
    cmpl $13, %r15d
    jne wrong
    movl $7, %eax
    movd %eax, %xmm0
    paddd %xmm0, %xmm0
    movd %xmm0, %eax
    syscall
wrong:
    lidtq no_idt - probe_guest
    ud2
system_call:
    cmpl $14, %eax
    jne wrong
    step 6

    movl $0xfee00000, %edi              # local APIC
    movl $0x1ff, 0xf0(%rdi)             # on
    movl $0xb, 0x3e0(%rdi)              # timer divides by 1
    movl $0x20, 0x320(%rdi)             # once, vector 0x20
    movl $100000, 0x380(%rdi)
1:  sti
    hlt
    cli
    cmpl $0x20, %r15d
    jne 1b
    step 7

    movl $64, %ebx
1:  movq %cr3, %rax
    movq %rax, %cr3
    movl $100000, %ecx
2:  addl %ecx, scratch - probe_guest
    imull $3, %ecx, %edx
    decl %ecx
    jnz 2b
    decl %ebx
    jnz 1b
    step 8
1:  hlt
    jmp 1b

invalid:
    movl $6, %r15d
    addq $2, (%rsp)
    iretq
protection:
    testb $3, 16(%rsp)                  # from ring 3
    jz wrong
    movl $13, %r15d
    addq $8, %rsp
    incq (%rsp)
    iretq
page_fault:
    movl $14, %r15d
    movq %cr2, %rax
    cmpq $0x200000, %rax
    jne wrong
    movl $(per_cpu - probe_guest + 3), %eax
    movq %rax, pt - probe_guest
    invlpg 0x200000
    addq $8, %rsp
    iretq
timer:
    movl $0x20, %r15d
    movl $0, 0xb0(%rdi)                 # EOI
    iretq

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            # 08 code, 32 bits
    .quad 0x00cf93000000ffff            # 10 data
    .quad 0x00af9b000000ffff            # 18 code, 64 bits
    .quad 0x00cf93000000ffff            # 20 data
    .quad 0                             # 28 SYSRET's base
    .quad 0x00cff3000000ffff            # 30 data, ring 3
    .quad 0x00affb000000ffff            # 38 code, 64 bits, ring 3
    .word 0x67, tss - probe_guest       # 40 task state
    .byte 0, 0x89, 0, 0
    .quad 0
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .quad gdt - probe_guest
    .macro gate handler
        .word \handler - probe_guest, 0x18, 0x8e00, 0
        .quad 0
    .endm
    .balign 16
idt:
    .fill 12, 8, 0
    gate invalid
    .fill 12, 8, 0
    gate protection
    gate page_fault
    .fill 34, 8, 0
    gate timer
idt_pointer:
    .word idt_pointer - idt - 1
    .quad idt - probe_guest
no_idt:
    .word 0
    .quad 0
    .balign 16
tss:
    .long 0
    .quad stack_top - probe_guest       # the stack of faults from ring 3
    .fill 92, 1, 0

    .balign 4096
pml4:
    .quad pdpt - probe_guest + 7
    .fill 511, 8, 0
pdpt:
    .quad pd - probe_guest + 7
    .fill 2, 8, 0
    .quad pd_high - probe_guest + 3
    .fill 508, 8, 0
pd:
    .quad 0x87                          # the first 2 MiB as they are
    .quad pt - probe_guest + 3
    .fill 510, 8, 0
pd_high:
    .fill 503, 8, 0
    .quad 0xfee0009b                    # local APIC, not cached
    .fill 8, 8, 0
pt:
    .fill 512, 8, 0
per_cpu:
    .long 0x5afe
scratch:                                # not in the code's page: it would look like code that changes
    .long 0
    .fill 2040, 1, 0
stack_top:
probe_guest_end:
    .popsection
    .purgem step
    .purgem gate
    "#,
    port = const STEP_PORT,
    options(att_syntax)
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn the_image_fits_its_memory_and_begins_in_real_mode() {
        assert!(image().len() <= MEMORY_BYTES);
        assert_eq!(image()[0], 0xfa, "cli");
    }

    /// A guest that no processor can run would say of every KVM that it does not work.
    #[test]
    fn another_processor_runs_it_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let (firmware, guest) = (dir.path().join("firmware"), dir.path().join("guest"));
        let mut rom = vec![0xf4; 64 << 10];
        // The reset vector: a far jump to 0:0.
        rom[0xfff0..0xfff5].copy_from_slice(&[0xea, 0, 0, 0, 0]);
        std::fs::write(&firmware, rom).unwrap();
        std::fs::write(&guest, image()).unwrap();
        let started = Command::new("qemu-system-x86_64")
            .args([
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-no-reboot",
            ])
            .args(["-M", "pc", "-accel", "tcg", "-cpu", "max", "-m", "8M"])
            .args([
                "-chardev",
                "stdio,id=out",
                "-device",
                "isa-debugcon,iobase=0x50,chardev=out",
            ])
            .arg("-bios")
            .arg(&firmware)
            .arg("-device")
            .arg(format!(
                "loader,addr=0,force-raw=on,file={}",
                guest.display()
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut qemu = match started {
            Ok(qemu) => qemu,
            Err(e) => {
                println!("not run: qemu-system-x86_64: {e}");
                return;
            }
        };
        let mut steps = Vec::new();
        let mut out = qemu.stdout.take().unwrap();
        let mut byte = [0];
        while steps.len() < STEPS.len() && std::io::Read::read(&mut out, &mut byte).unwrap() == 1 {
            steps.push(byte[0]);
        }
        qemu.kill().unwrap();
        qemu.wait().unwrap();
        assert_eq!(steps, [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
