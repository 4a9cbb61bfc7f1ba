"""Networks of the shape that sherpa-onnx takes, a few kilobytes each, that say the same words to any sound.

No Paraformer or SenseVoice can be had from a package registry. These are loaded and decoded by the real
library just the same: what it makes of symbols, times and marks is its own work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES = 560  # 80 Mel bands of seven frames
MOST_FRAMES = 600
LEVEL = ",".join(["0"] * FEATURES), ",".join(["1"] * FEATURES)
COMMON = {"lfr_window_size": "7", "lfr_window_shift": "6", "neg_mean": LEVEL[0], "inv_stddev": LEVEL[1]}
LANGUAGES = {
    "lang_auto": "0",
    "lang_zh": "3",
    "lang_en": "4",
    "lang_yue": "7",
    "lang_ja": "11",
    "lang_ko": "12",
}
EVENTS = ("<|zh|>", "<|NEUTRAL|>", "<|Speech|>", "<|withitn|>")


def sense_voice(folder: Path, words: Sequence[str], without: str = "") -> Path:
    """A folder with a SenseVoice that hears these symbols, one every 240 ms; `without` a key it must have."""
    symbols = ["<blank>", "<s>", "</s>", *EVENTS, *dict.fromkeys(words)]
    rows = [symbols.index(event) for event in EVENTS]
    for word in words:
        rows += [0, 0, symbols.index(word), symbols.index(word)]
    inputs = [_float("x"), *(_whole(name) for name in ("x_length", "language", "text_norm"))]
    nodes = [
        helper.make_node("Shape", ["x"], ["frames"], start=1, end=2),
        helper.make_node("Add", ["frames", "events"], ["end"]),
        helper.make_node("Slice", ["table", "zero", "end", "one"], ["logits"]),
    ]
    known = {"vocab_size": str(len(symbols)), **COMMON, **LANGUAGES, "model_type": "sense_voice_ctc"}
    known |= {"normalize_samples": "0", "with_itn": "14", "without_itn": "15", "comment": "-"}
    return _save(folder, symbols, nodes, inputs, {"logits": _table(rows, len(symbols))}, known, without)


def paraformer(folder: Path, words: Sequence[str], without: str = "") -> Path:
    """A folder with a Paraformer that hears these symbols; like older ones it gives no times."""
    symbols = ["<blank>", "<s>", "</s>", *dict.fromkeys(words)]
    rows = [*(symbols.index(word) for word in words), symbols.index("</s>")]
    nodes = [
        helper.make_node("Slice", ["table", "zero", "count", "one"], ["logits"]),
        helper.make_node("Identity", ["count32"], ["token_num"]),
    ]
    known = {"vocab_size": str(len(symbols)), **COMMON, "model_type": "paraformer"}
    outputs = {"logits": _table(rows, len(symbols)), "token_num": np.array([len(rows)], np.int32)}
    inputs = [_float("speech"), _whole("speech_lengths")]
    return _save(folder, symbols, nodes, inputs, outputs, known, without)


def _table(rows: Sequence[int], symbols: int) -> np.ndarray:
    """What is the likeliest symbol, frame by frame; the blank after the last."""
    table = np.full((1, MOST_FRAMES, symbols), -9, np.float32)
    table[0, np.arange(MOST_FRAMES), [*rows, *[0] * (MOST_FRAMES - len(rows))]] = 0
    return table


def _save(
    folder: Path,
    symbols: Sequence[str],
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Mapping[str, np.ndarray],
    known: Mapping[str, str],
    without: str,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    count = len(outputs["token_num"]) and int(outputs["token_num"][0]) if "token_num" in outputs else 0
    constants = {"zero": [0], "one": [1], "events": [len(EVENTS)], "count": [count]}
    weights = [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()]
    weights.append(numpy_helper.from_array(np.array([count], np.int32), "count32"))
    weights.append(numpy_helper.from_array(outputs["logits"], "table"))
    told = [
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT if name == "logits" else TensorProto.INT32, None
        )
        for name in outputs
    ]
    graph = helper.make_graph(nodes, "tiny", inputs, told, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {key: value for key, value in known.items() if key != without})
    onnx.save(model, folder / "model.onnx")
    listed = "".join(f"{symbol} {place}\n" for place, symbol in enumerate(symbols))
    (folder / "tokens.txt").write_text(listed, "utf-8")
    return folder


def _float(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", "T", FEATURES])


def _whole(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT32, ["N"])
