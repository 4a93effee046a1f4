"""XXH3 with 64 bits and seed 0, as `xxhash.xxh3_64_intdigest` computes it.

Written from the published specification of the algorithm (Yann Collet,
"XXHash fast digest algorithm", XXH3_64bits with the default secret), for
calls from other kernels on a range of bytes; the tests hold it against the
`xxhash` package for every length path.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.intrinsics import load_u32, load_u64, multiply_fold
from samestory.kernels.jit import called, inlined

_SECRET_BYTES: Final = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)


def _secret(offset: int) -> np.uint64:
    secret: np.uint64 = np.uint64(int.from_bytes(_SECRET_BYTES[offset : offset + 8], "little"))
    return secret


P32_1: Final = np.uint64(0x9E3779B1)
P32_2: Final = np.uint64(0x85EBCA77)
P32_3: Final = np.uint64(0xC2B2AE3D)
P64_1: Final = np.uint64(0x9E3779B185EBCA87)
P64_2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
P64_3: Final = np.uint64(0x165667B19E3779F9)
P64_4: Final = np.uint64(0x85EBCA77C2B2AE63)
P64_5: Final = np.uint64(0x27D4EB2F165667C5)
MIX_1: Final = np.uint64(0x165667919E3779F9)
MIX_2: Final = np.uint64(0x9FB21C651E98DF25)

# The secret at each place that a short input uses it, folded into constants of the machine code.
S0, S8, S16, S24 = _secret(0), _secret(8), _secret(16), _secret(24)
S32, S40, S48, S56 = _secret(32), _secret(40), _secret(48), _secret(56)
S64, S72, S80, S88 = _secret(64), _secret(72), _secret(80), _secret(88)
S96, S104, S112, S120 = _secret(96), _secret(104), _secret(112), _secret(120)
FLIP_0: Final = S56 ^ S64
FLIP_3: Final = np.uint64(
    int.from_bytes(_SECRET_BYTES[0:4], "little") ^ int.from_bytes(_SECRET_BYTES[4:8], "little")
)
FLIP_8: Final = S8 ^ S16
FLIP_16_LOW: Final = S24 ^ S32
FLIP_16_HIGH: Final = S40 ^ S48
_SECRET: Final[NDArray[np.uint8]] = np.frombuffer(_SECRET_BYTES, dtype=np.uint8)

LOW_32: Final = np.uint64(0xFFFFFFFF)
STRIPE: Final = 64
STRIPES_PER_BLOCK: Final = 16


@inlined
def _rotate(x, n):  # type: ignore[no-untyped-def]
    return (x << np.uint64(n)) | (x >> np.uint64(64 - n))


@inlined
def _swap_bytes(x):  # type: ignore[no-untyped-def]
    x = ((x & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8)) | (
        (x >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    )
    x = ((x & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)) | (
        (x >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    )
    return _rotate(x, 32)


@inlined
def _avalanche(h):  # type: ignore[no-untyped-def]
    h ^= h >> np.uint64(37)
    h *= MIX_1
    return h ^ (h >> np.uint64(32))


@inlined
def _avalanche_64(h):  # type: ignore[no-untyped-def]
    h ^= h >> np.uint64(33)
    h *= P64_2
    h ^= h >> np.uint64(29)
    h *= P64_3
    return h ^ (h >> np.uint64(32))


@inlined
def _mix(data, at, secret_low, secret_high):  # type: ignore[no-untyped-def]
    return multiply_fold(load_u64(data, at) ^ secret_low, load_u64(data, at + 8) ^ secret_high)


@inlined
def _hash_to_16(data, at, length):  # type: ignore[no-untyped-def]
    if length > 8:
        low = load_u64(data, at) ^ FLIP_16_LOW
        high = load_u64(data, at + length - 8) ^ FLIP_16_HIGH
        return _avalanche(np.uint64(length) + _swap_bytes(low) + high + multiply_fold(low, high))
    if length >= 4:
        first = np.uint64(load_u32(data, at))
        last = np.uint64(load_u32(data, at + length - 4))
        h = (last + (first << np.uint64(32))) ^ FLIP_8
        h ^= _rotate(h, 49) ^ _rotate(h, 24)
        h *= MIX_2
        h ^= (h >> np.uint64(35)) + np.uint64(length)
        h *= MIX_2
        return h ^ (h >> np.uint64(28))
    if length > 0:
        combined = (
            (np.uint64(data[at]) << np.uint64(16))
            | (np.uint64(data[at + (length >> 1)]) << np.uint64(24))
            | np.uint64(data[at + length - 1])
            | (np.uint64(length) << np.uint64(8))
        )
        return _avalanche_64(combined ^ FLIP_3)
    return _avalanche_64(FLIP_0)


@inlined
def _hash_to_128(data, at, length):  # type: ignore[no-untyped-def]
    end = at + length
    h = np.uint64(length) * P64_1
    if length > 32:
        if length > 64:
            if length > 96:
                h += _mix(data, at + 48, S96, S104)
                h += _mix(data, end - 64, S112, S120)
            h += _mix(data, at + 32, S64, S72)
            h += _mix(data, end - 48, S80, S88)
        h += _mix(data, at + 16, S32, S40)
        h += _mix(data, end - 32, S48, S56)
    h += _mix(data, at, S0, S8)
    h += _mix(data, end - 16, S16, S24)
    return _avalanche(h)


@inlined
def _hash_to_240(data, at, length, secret):  # type: ignore[no-untyped-def]
    h = np.uint64(length) * P64_1
    for i in range(8):
        h += _mix(data, at + 16 * i, load_u64(secret, 16 * i), load_u64(secret, 16 * i + 8))
    h = _avalanche(h)
    for i in range(8, length // 16):
        place = 16 * (i - 8) + 3
        h += _mix(data, at + 16 * i, load_u64(secret, place), load_u64(secret, place + 8))
    h += _mix(data, at + length - 16, load_u64(secret, 119), load_u64(secret, 127))
    return _avalanche(h)


@inlined
def _accumulate(lanes, data, at, secret, place):  # type: ignore[no-untyped-def]
    for i in range(8):
        value = load_u64(data, at + 8 * i)
        key = value ^ load_u64(secret, place + 8 * i)
        lanes[i ^ 1] += value
        lanes[i] += (key & LOW_32) * (key >> np.uint64(32))


@inlined
def _hash_long(data, at, length, secret):  # type: ignore[no-untyped-def]
    lanes = np.empty(8, dtype=np.uint64)
    lanes[0], lanes[1], lanes[2], lanes[3] = P32_3, P64_1, P64_2, P64_3
    lanes[4], lanes[5], lanes[6], lanes[7] = P64_4, P32_2, P64_5, P32_1
    n_stripes = (length - 1) // STRIPE
    for stripe in range(n_stripes):
        _accumulate(lanes, data, at + STRIPE * stripe, secret, 8 * (stripe % STRIPES_PER_BLOCK))
        if stripe % STRIPES_PER_BLOCK == STRIPES_PER_BLOCK - 1 and (stripe + 1) * STRIPE <= length - 1:
            for i in range(8):
                lane = lanes[i]
                lanes[i] = (lane ^ (lane >> np.uint64(47)) ^ load_u64(secret, 128 + 8 * i)) * P32_1
    _accumulate(lanes, data, at + length - STRIPE, secret, 121)
    h = np.uint64(length) * P64_1
    for i in range(4):
        low = lanes[2 * i] ^ load_u64(secret, 11 + 16 * i)
        high = lanes[2 * i + 1] ^ load_u64(secret, 19 + 16 * i)
        h += multiply_fold(low, high)
    return _avalanche(h)


@called
def _hash_over_128(data, at, length):  # type: ignore[no-untyped-def]
    secret = _SECRET
    if length <= 240:
        return _hash_to_240(data, at, length, secret)
    return _hash_long(data, at, length, secret)


@inlined
def xxh3_64(data, at, length):  # type: ignore[no-untyped-def]
    """Return the hash of `length` bytes of a uint8 array from index `at`."""
    if length > 16:
        if length <= 128:
            return _hash_to_128(data, at, length)
        return _hash_over_128(data, at, length)
    return _hash_to_16(data, at, length)
