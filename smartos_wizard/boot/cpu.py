"""Names of processors by family and model, and what their makers built in for virtual machines.

From Intel's and AMD's published lists of family and model numbers. Imports nothing of this program.
"""

from __future__ import annotations

from dataclasses import dataclass

INTEL = "GenuineIntel"
AMD = "AuthenticAMD"
HYGON = "HygonGenuine"


@dataclass(frozen=True, slots=True)
class Microarchitecture:
    """A generation of processors: whether it has EPT (Intel) or NPT (AMD) as `nested`.

    `bhyve`: whether it also has what illumos's bhyve asks for beyond that. Intel: unrestricted guest, since
    Westmere. AMD: NRIP save and decode assists, together since Bulldozer.
    (illumos: uts/i86pc/os/hma.c, io/vmm/intel/vmx.c; OmniOS: cmd/bhhwcompat.)
    """

    name: str
    nested: bool
    bhyve: bool = True


_INTEL_6: tuple[tuple[str, bool, tuple[int, ...]], ...] = (
    ("Core 2 (Merom)", False, (0x0F, 0x16)),
    ("Core 2 (Penryn)", False, (0x17, 0x1D)),
    ("Nehalem", True, (0x1A, 0x1E, 0x1F, 0x2E)),
    ("Westmere", True, (0x25, 0x2C, 0x2F)),
    ("Sandy Bridge", True, (0x2A, 0x2D)),
    ("Ivy Bridge", True, (0x3A, 0x3E)),
    ("Haswell", True, (0x3C, 0x3F, 0x45, 0x46)),
    ("Broadwell", True, (0x3D, 0x47, 0x4F, 0x56)),
    ("Skylake", True, (0x4E, 0x5E, 0x55)),
    ("Kaby Lake or Coffee Lake", True, (0x8E, 0x9E)),
    ("Cannon Lake", True, (0x66,)),
    ("Comet Lake", True, (0xA5, 0xA6)),
    ("Ice Lake", True, (0x7D, 0x7E, 0x6A, 0x6C)),
    ("Tiger Lake", True, (0x8C, 0x8D)),
    ("Rocket Lake", True, (0xA7,)),
    ("Lakefield", True, (0x8A,)),
    ("Alder Lake", True, (0x97, 0x9A)),
    ("Alder Lake-N (Gracemont)", True, (0xBE,)),
    ("Raptor Lake", True, (0xB7, 0xBA, 0xBF)),
    ("Meteor Lake", True, (0xAA, 0xAC)),
    ("Arrow Lake", True, (0xB5, 0xC5, 0xC6)),
    ("Lunar Lake", True, (0xBD,)),
    ("Sapphire Rapids", True, (0x8F,)),
    ("Emerald Rapids", True, (0xCF,)),
    ("Granite Rapids", True, (0xAD, 0xAE)),
    ("Sierra Forest", True, (0xAF,)),
    ("Xeon Phi", True, (0x57, 0x85)),
    ("Atom (Bonnell)", False, (0x1C, 0x26)),
    ("Atom (Saltwell)", False, (0x27, 0x35, 0x36)),
    ("Atom (Silvermont)", True, (0x37, 0x4A, 0x4D, 0x5A, 0x5D)),
    ("Atom (Airmont)", True, (0x4C, 0x75)),
    ("Atom (Goldmont)", True, (0x5C, 0x5F)),
    ("Atom (Goldmont Plus)", True, (0x7A,)),
    ("Atom (Tremont)", True, (0x86, 0x96, 0x9C)),
)
_NAMES_6 = {
    model: Microarchitecture(name, nested, name != "Nehalem")
    for name, nested, models in _INTEL_6
    for model in models
}
_ZEN_17 = {0x01: "Zen", 0x11: "Zen", 0x20: "Zen", 0x08: "Zen+", 0x18: "Zen+"}


def microarchitecture(maker: str, family: int, model: int) -> Microarchitecture | None:
    """The generation a processor belongs to, or None where its numbers are in no list here."""
    match maker:
        case "GenuineIntel":
            return _intel(family, model)
        case "AuthenticAMD":
            return _amd(family, model)
        case "HygonGenuine":
            return Microarchitecture("Hygon Dhyana (Zen)", True)
    return None


def _intel(family: int, model: int) -> Microarchitecture | None:
    if family == 6:
        if model < 0x0F:
            return Microarchitecture("older than Core 2", False)
        return _NAMES_6.get(model)
    if family == 15:
        return Microarchitecture("NetBurst (Pentium 4)", False)
    if family < 6:
        return Microarchitecture("older than Core 2", False)
    return None


def _amd(family: int, model: int) -> Microarchitecture | None:
    """AMD by family; nested paging (NPT, also RVI) came with family 10h. Family 11h is a late K8."""
    match family:
        case 0x0F:
            return Microarchitecture("K8 (Athlon 64, Opteron)", False)
        case 0x10:
            return Microarchitecture("K10", True, False)
        case 0x11:
            return Microarchitecture("K8 (Turion Ultra)", False)
        case 0x12:
            return Microarchitecture("Llano", True, False)
        case 0x14:
            return Microarchitecture("Bobcat", True, False)
        case 0x15:
            return Microarchitecture(_bulldozer(model), True)
        case 0x16:
            return Microarchitecture("Jaguar" if model < 0x30 else "Puma", True)
        case 0x17:
            return Microarchitecture(_ZEN_17.get(model, "Zen 2" if model >= 0x30 else "Zen"), True)
        case 0x19:
            return Microarchitecture(_zen_19(model), True)
        case 0x1A:
            return Microarchitecture("Zen 5", True)
    return Microarchitecture("older than K8", False) if family < 0x0F else None


def _bulldozer(model: int) -> str:
    if model >= 0x60:
        return "Excavator"
    if model >= 0x30:
        return "Steamroller"
    return "Piledriver" if model == 0x02 or model >= 0x10 else "Bulldozer"


def _zen_19(model: int) -> str:
    """Family 19h: 10h-1fh, 60h-7fh and a0h-afh are Zen 4, the rest Zen 3."""
    return "Zen 4" if model >> 4 in (0x1, 0x6, 0x7, 0xA) else "Zen 3"
