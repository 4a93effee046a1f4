"""Machine operations that Numba does not offer: unaligned loads, 128-bit products, bit counts."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _unaligned_load(bits, numba_type):
    @intrinsic
    def load(typing_context, array, index):
        def generate(context, builder, signature, arguments):
            view = context.make_array(signature.args[0])(context, builder, arguments[0])
            address = cgutils.gep_inbounds(builder, view.data, arguments[1])
            pointer = builder.bitcast(address, ir.IntType(bits).as_pointer())
            value = builder.load(pointer)
            value.align = 1
            return value

        return numba_type(array, types.intp), generate

    return load


load_u64 = _unaligned_load(64, types.uint64)
"""Eight bytes of a uint8 array at a byte index, as a little-endian uint64."""
load_u32 = _unaligned_load(32, types.uint32)
"""Four bytes of a uint8 array at a byte index, as a little-endian uint32."""


@intrinsic
def multiply_fold(typing_context, a, b):
    """Both halves of the 128-bit product of two uint64, combined by exclusive or."""

    def generate(context, builder, signature, arguments):
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        low = builder.trunc(product, ir.IntType(64))
        high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))
        return builder.xor(low, high)

    return types.uint64(types.uint64, types.uint64), generate


@intrinsic
def count_ones(typing_context, a):
    """Number of set bits of a uint64."""

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


BLOCK = 64
"""Bytes that `fold_block` and `high_block` look at."""


def _block_at(context, builder, array_type, array, index):
    view = context.make_array(array_type)(context, builder, array)
    address = cgutils.gep_inbounds(builder, view.data, index)
    return builder.bitcast(address, ir.VectorType(ir.IntType(8), BLOCK).as_pointer())


def _splat(value):
    return ir.Constant(ir.VectorType(ir.IntType(8), BLOCK), [value] * BLOCK)


@intrinsic
def fold_block(typing_context, source, index, target, at):
    """Lower the ASCII letters of 64 bytes, write a space for what is no letter or digit.

    Returns a uint64 whose bit i says whether byte i is an ASCII letter or digit.
    """

    def generate(context, builder, signature, arguments):
        read_from = _block_at(context, builder, signature.args[0], arguments[0], arguments[1])
        write_to = _block_at(context, builder, signature.args[2], arguments[2], arguments[3])
        block = builder.load(read_from)
        block.align = 1
        lower = builder.or_(block, _splat(0x20))
        is_letter = builder.icmp_unsigned("<", builder.sub(lower, _splat(ord("a"))), _splat(26))
        is_digit = builder.icmp_unsigned("<", builder.sub(block, _splat(ord("0"))), _splat(10))
        other = builder.select(is_digit, block, _splat(0x20))
        stored = builder.store(builder.select(is_letter, lower, other), write_to)
        stored.align = 1
        return builder.bitcast(builder.or_(is_letter, is_digit), ir.IntType(64))

    return types.uint64(source, types.intp, target, types.intp), generate


@intrinsic
def high_block(typing_context, source, index):
    """Return a uint64 whose bit i says whether byte i of 64 is over 127."""

    def generate(context, builder, signature, arguments):
        block = builder.load(_block_at(context, builder, signature.args[0], arguments[0], arguments[1]))
        block.align = 1
        is_high = builder.icmp_signed("<", block, _splat(0))
        return builder.bitcast(is_high, ir.IntType(64))

    return types.uint64(source, types.intp), generate


@intrinsic
def copy_16(typing_context, source, index, target, at):
    """Copy 16 bytes of a uint8 array to another."""

    def generate(context, builder, signature, arguments):
        kind = ir.VectorType(ir.IntType(8), 16).as_pointer()
        places = []
        for position in (0, 2):
            view = context.make_array(signature.args[position])(context, builder, arguments[position])
            address = cgutils.gep_inbounds(builder, view.data, arguments[position + 1])
            places.append(builder.bitcast(address, kind))
        value = builder.load(places[0])
        value.align = 1
        stored = builder.store(value, places[1])
        stored.align = 1
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp), generate


@intrinsic
def trailing_zeros(typing_context, a):
    """Number of zero bits below the lowest set bit of a uint64; 64 of zero."""

    def generate(context, builder, signature, arguments):
        count = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))
        return builder.zext(count, ir.IntType(64)) if count.type.width < 64 else count

    return types.int64(types.uint64), generate


@intrinsic
def space_block(typing_context, source, index):
    """Return a uint64 whose bit i says whether byte i of 64 is a space."""

    def generate(context, builder, signature, arguments):
        block = builder.load(_block_at(context, builder, signature.args[0], arguments[0], arguments[1]))
        block.align = 1
        return builder.bitcast(builder.icmp_unsigned("==", block, _splat(0x20)), ir.IntType(64))

    return types.uint64(source, types.intp), generate


@intrinsic
def least_8_by_8(typing_context, a, b, least, p, hashes, i):
    """Take eight hashes from index i through eight permutations from index p, and keep the minima.

    ``least[q] = min(least[q], a[q] * hashes[k] + b[q])`` modulo 2**32, for q from p to p + 7 and k
    from i to i + 7, written for vectors of eight because the loop is not made into such reliably.
    """

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(ir.IntType(32), 8)
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8)

        def address(position, index):
            view = context.make_array(signature.args[position])(context, builder, arguments[position])
            return cgutils.gep_inbounds(builder, view.data, index)

        def load(position):
            value = builder.load(builder.bitcast(address(position, arguments[3]), vector.as_pointer()))
            value.align = 4
            return value

        factor, addend, low = load(0), load(1), load(2)
        undefined = ir.Constant(vector, ir.Undefined)
        for k in range(8):
            index = builder.add(arguments[5], ir.Constant(ir.IntType(64), k))
            one = builder.load(address(4, index))
            first = builder.insert_element(undefined, one, ir.Constant(ir.IntType(32), 0))
            hash_8 = builder.shuffle_vector(first, undefined, lanes)
            value = builder.add(builder.mul(factor, hash_8), addend)
            low = builder.select(builder.icmp_unsigned("<", value, low), value, low)
        stored = builder.store(low, builder.bitcast(address(2, arguments[3]), vector.as_pointer()))
        stored.align = 4
        return context.get_dummy_value()

    return types.void(a, b, least, types.intp, hashes, types.intp), generate
