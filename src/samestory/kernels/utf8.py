"""Whether bytes are well-formed UTF-8 (RFC 3629), eight at a time."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from samestory.kernels.jit import kernel

_U = np.uint64


def _each(byte: int) -> np.uint64:
    """A word all of whose bytes are `byte`."""
    word: np.uint64 = np.uint64(byte * 0x0101010101010101)
    return word


_HIGH: Final = _each(0x80)
_7F, _7B, _1E, _0F, _0D, _07, _04 = map(_each, (0x7F, 0x7B, 0x1E, 0x0F, 0x0D, 0x07, 0x04))


@kernel
def find_faults(words: npt.NDArray[np.uint64], befores: npt.NDArray[np.uint64]) -> np.uint64:
    """Return non-zero if a byte of `words` does not follow from those before it, as RFC 3629 has it.

    Eight bytes in a word, the answer for each in its highest bit. `one`, `two` and `three` are the
    bytes that many places before; a byte's own bits are brought to the highest place by shifts.
    Nothing depends on the round before, so that the compiler makes wide instructions of it.
    """
    faults = _U(0)
    for i in range(words.size):
        word, before = words[i], befores[i]
        one = (word << _U(8)) | (before >> _U(56))
        two = (word << _U(16)) | (before >> _U(48))
        three = (word << _U(24)) | (before >> _U(40))
        bit7, bit6, bit5 = word & _HIGH, word << _U(1), word << _U(2)
        bit4, bit3 = word << _U(3), word << _U(4)
        # A continuation must be where a lead wants one, and nowhere else.
        wanted = one & (one << _U(1))
        wanted |= two & (two << _U(1)) & (two << _U(2))
        wanted |= three & (three << _U(1)) & (three << _U(2)) & (three << _U(3))
        faults |= (bit7 & ~bit6) ^ (wanted & _HIGH)
        lead = bit7 & bit6
        faults |= lead & ~bit5 & ~((word & _1E) + _7F)  # C0 and C1 would spell ASCII at length.
        faults |= lead & bit5 & bit4 & (bit3 | ((word & _07) + _7B))  # F5 and more are no Unicode.
        long_lead = one & (one << _U(1)) & (one << _U(2)) & _HIGH
        of_three, of_four = long_lead & ~(one << _U(3)), long_lead & (one << _U(3))
        faults |= of_three & ~((one & _0F) + _7F) & ~bit5  # E0 wants A0 to BF.
        faults |= of_three & ~(((one ^ _0D) & _0F) + _7F) & bit5  # ED wants 80 to 9F: no surrogates.
        faults |= of_four & ~((one & _07) + _7F) & ~(bit5 | bit4)  # F0 wants 90 to BF.
        faults |= of_four & ~(((one & _07) ^ _04) + _7F) & (bit5 | bit4)  # F4 wants 80 to 8F.
    found: np.uint64 = faults & _HIGH
    return found
