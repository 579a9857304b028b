"""Vector registers as values in numba kernels: loads, stores and fused multiply-adds of lanes."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model
from numpy.typing import NDArray

Array = NDArray[np.float32]
Codes = NDArray[np.int8]

# Floats of one register: half as many where there is no AVX-512, so that a block of sums that fills
# the 32 registers there fits into 16 here. Sums are the same either way, a lane is one sum.
LANES: Final = 16 if binding.get_host_cpu_features().get("avx512f") else 8

_INT32: Final = ir.IntType(32)
_WHOLE: Final = ir.VectorType(_INT32, LANES)
_FLOATS: Final = ir.VectorType(ir.FloatType(), LANES)
_CODES: Final = ir.VectorType(ir.IntType(8), LANES)


class _Lanes(types.Type):
    """The type of a register's worth of float32."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes({LANES})")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]  # numba is untyped
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _FLOATS)


_LANES: Final = _Lanes()


def _address(context: Any, builder: Any, kind: Any, where: Any, vector: Any) -> Any:
    array, place = where
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), vector.as_pointer())


def _load(_typing: Any, array: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        found = builder.load(_address(context, builder, signature.args[0], given, _FLOATS))
        found.align = 4
        return found

    return _LANES(array, types.intp), generate


def _load_codes(_typing: Any, array: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        found = builder.load(_address(context, builder, signature.args[0], given, _CODES))
        found.align = 1
        return builder.sitofp(builder.sext(found, _WHOLE), _FLOATS)

    return _LANES(array, types.intp), generate


def _store(_typing: Any, array: Any, place: Any, lanes: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        at = _address(context, builder, signature.args[0], given[:2], _FLOATS)
        builder.store(given[2], at).align = 4
        return context.get_dummy_value()

    return types.none(array, types.intp, _LANES), generate


def _spread(_typing: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        nothing = ir.Constant(_FLOATS, ir.Undefined)
        first = builder.insert_element(nothing, given[0], ir.Constant(_INT32, 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(_WHOLE, [0] * LANES))

    return _LANES(types.float32), generate


def _fused(_typing: Any, total: Any, one: Any, other: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = ir.FunctionType(_FLOATS, [_FLOATS] * 3)
        name = f"llvm.fma.v{LANES}f32"
        fma = cgutils.get_or_insert_function(builder.module, kind, name)
        start, factor, by = given
        return builder.call(fma, [factor, by, start])

    return _LANES(_LANES, _LANES, _LANES), generate


# load(array, place): LANES floats of a flat float32 array from `place` on; no bounds are checked.
load: Callable[[Array, int], Any] = intrinsic(_load)
# load_codes(array, place): the same of a flat int8 array, as floats.
load_codes: Callable[[Codes, int], Any] = intrinsic(_load_codes)
# store(array, place, lanes): write them to a flat float32 array.
store: Callable[[Array, int, Any], None] = intrinsic(_store)
# spread(value): a float32 in every lane.
spread: Callable[[Any], Any] = intrinsic(_spread)
# fused(total, one, other): total + one x other in every lane, rounded once.
fused: Callable[[Any, Any, Any], Any] = intrinsic(_fused)
