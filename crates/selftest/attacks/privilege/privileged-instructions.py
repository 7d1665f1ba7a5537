# Instructions that are a kernel's alone, in a process that may run on the host's own processor. Without invd and
# wbinvd: QEMU's emulation lets anybody say them, for they do nothing there.
from attack import breach_if, in_child, machine_code

REFUSED = {
    "hlt": "f4", "cli": "fa", "sti": "fb", "in": "e460", "out": "e680", "ins": "66ba60006c", "clts": "0f06",
    "rdmsr": "b91b0000000f32", "wrmsr": "b91b0000000f30", "rdpmc": "31c90f33", "xsetbv": "31c931d2b8070000000f01d1", "swapgs": "0f01f8",
    "mov to cr0": "0f22c0", "mov to cr3": "0f22d8", "mov from cr4": "0f20e0", "mov to dr7": "0f23f8", "invlpg": "0f013c24", "lmsw": "0f01f0",
    "lgdt": "0f011424", "lidt": "0f011c24", "lldt": "31c00f00d0", "ltr": "31c00f00d8", "sysret": "480f07", "sysexit": "0f35",
    "monitor": "31c90f01c8", "mwait": "31c90f01c9", "vmxon": "f30fc73424", "vmlaunch": "0f01c2", "vmrun": "0f01d8", "clgi": "0f01dd", "rsm": "0faa",
}
for name, text in REFUSED.items():
    ended = in_child(name, machine_code("31c0" + text + "c3"))
    breach_if(f"{name} went through", ended == 0)


def ask_hypervisor(text):
    # mov eax, 1; vmcall or vmmcall; cdqe: number 1 of KVM's asks for nothing.
    answer = machine_code("b801000000" + text + "4898c3")()
    breach_if("a hypervisor took an order", answer >= 0, answer)
    return answer


for name, text in {"vmcall": "0f01c1", "vmmcall": "0f01d9"}.items():
    in_child(name, ask_hypervisor, text)
print("tried them all")
