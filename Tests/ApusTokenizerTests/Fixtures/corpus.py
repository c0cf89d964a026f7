"""Texts that tokenizers get wrong, and random ones in their manner."""

SPECIALS = (
    "<|endoftext|> <|im_start|> <|im_end|> <|begin_of_text|> <|eot_id|> <s> </s> <unk> <think> </think> <tool_call> "
    "<|fim_prefix|> <0x41> [WORD] [LEFT] [RIGHT] [BOTH] [Norm]"
).split(" ")

NASTY = [
    "", " ", "  ", "\n", "\t", "\r\n", "\r\n\r\n  \r\n", "a", " a", "  a", "a ", "a  b   c    d",
    "\u00a0x\u3000y\u2003z\u200b\u2028p\u2029q\u0085r",
    "Hello, world! I'm you're we'VE he'D I'LL it's IT'S 'S '\u017f '\u017fx don'T 'tis ''s \u2019s",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f468\U0001f3fd\u200d\U0001f680 \U0001f3f3\ufe0f"
    "\u200d\U0001f308\U0001f1fa\U0001f1f8\U0001f1e9\U0001f1ea\U0001f1eb \u2764\ufe0f\u200d\U0001f525 1\ufe0f\u20e3",
    "e\u0301 \u00e9 n\u0303 \u00f1 a\u0323\u0307 a\u0307\u0323 \u0301abc q\u0307\u0323 \u212b \ufb01 \u00bd \u00b2 \u2460",
    "\u2167 \u337f \uff76\uff9e \u304c \u304b\u3099 \u1100\u1161\u11a8 \uac00\u11a8 \ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0915\u094d\u0937\u093f \u0ba4\u0bae\u0bbf\u0bb4\u0bcd \u0e44\u0e17\u0e22",
    "\u05e9\u05dc\u05d5\u05dd \u05d1\u05b0\u05bc\u05e8 \u0645\u0631\u062d\u0628\u0627 \u0661\u0662\u0663\u0664 \u202b\u202c\u200f",
    "\u4e2d\u6587\u5b57\u7b26\uff0c\u6d4b\u8bd5\u3002\u65e5\u672c\u8a9e\u300c\u30ab\u30bf\u30ab\u30ca\u300d 12\uff13\uff14",
    "0 12 123 1234 12345 123456 1,234,567.89 1e10 0x1F 3.14159 \u0663\u0664 \u0967\u0968 \u00bd\u2153 x\u00b2 1st",
    "\x00\x01\x02\x07\x08\x0b\x0c\x0e\x1b\x1f\x7f\u0080\u009f \x00 \x00\x00a",
    'def f(x):\n    if x:\n\t\treturn {"a": [1, 2, 3]}\n\n\n  # comment   \n\r\n',
    "a" * 100, " " * 100, "\n" * 30, "\t" * 33 + "x", "  \n  \n  x", "a \n b", "x   \n\n\n   y   ",
    "=====-----______!!!???...,,,;;;:::((()))[[[]]]{{{}}}<<<>>>", "\U0001f642" * 40, "\u00e9" * 20 + "e\u0301" * 20,
    "https://example.com/a/b?c=d&e=f#g user@example.org C:\\path\\to\\file",
    "\u00dcn\u00efc\u00f6d\u00e9 \u1e9e \u00df \u0149 \u01f0 \u0130 \u0131 \u0390 \u03a3\u03c2 \u0391\u03a3",
    "\u2581lead \u2581\u2581x \u2581 \u2581\u2581", "\u0120hello \u010a \u00c3\u00a9",
    "\ufeffBOM \ufffd \ufffe \uffff \U0010ffff \ue000 \U000f0000",
    "\u0378\u0379 \U0001fae8 \u32ff \u0f73\u0f75\u0f81 \u0897 \U00011938 \U00010d4a\U0001e030",
    "\u03a9\u2248\u00e7\u221a\u222b\u02dc\u00b5\u2264\u2265\u00f7 \u2211\u00b4\u00ae\u2020\u00a5\u00a8\u02c6\u00f8\u03c0",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "<s>[INST] hi [/INST] </s>", "<|im_start|",
    "<|im_start|><|im_start|>", " <|im_end|> ", "a<|endoftext|>b", "<unk> <s> </s><s>", "<0x41><0x0A>",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>",
    "x [WORD] y[WORD]z [WORD]1 \u00e9[WORD] [WORD]", "x  [LEFT]  y \n[LEFT][LEFT]  [RIGHT]  z  [BOTH] \t [BOTH]  [RIGHT]",
    "a[Norm]b [NORM] [norm] [n\u00f6rm] N[orm]", "it's 'twas 'Tis 'll LL'LL 'RE",
    "A\u0300\u0301\u0302\u0303 \u0344 \u0340\u0341 \u0958 \u2126 \u212a \u212b \uf900 \ufb1d \U0002f800",
    "x\u200dy\u200cz w\u2060v", "mixed\u4e2dEnglish\u6587and text", "\u01c5 \u01c8 \u1f88 \u02b0 \u00aa \u00ba \u207f",
    "x\n   y\n  z   w", "aaaa,,  thethe !!aa. ,the", "aaab aab ab", "\u180e \u1680 \u205f \u202f", "The quick brown fox jumps over the lazy dog, 42 times a day.",
]

SENTENCES = [
    "The fox walked through the forest and the snow was deep, but the little bird sang all the way home.",
    "In the evening they're sitting by the fire; she's telling a story that isn't true, and he'll believe it anyway.",
    "for index in range(0, 1000):\n    print(index * 3.14, 'and so on')\n\n    return None\n",
    "Der Fuchs l\u00e4uft \u00fcber die Br\u00fccke. El ni\u00f1o comi\u00f3 una manzana. L'\u00e9t\u00e9 est fini.",
    "\u042d\u0442\u043e \u0434\u043b\u0438\u043d\u043d\u043e\u0435 \u043f\u0440\u0435\u0434\u043b\u043e\u0436\u0435\u043d\u0438\u0435 \u043e \u043b\u0435\u0441\u0435.",
    "\u68ee\u306e\u4e2d\u3067\u72d0\u304c\u6b69\u3044\u3066\u3044\u305f\u3002 \u68ee\u6797\u91cc\u6709\u4e00\u53ea\u72d0\u72f8\u3002",
]

WORDS = ["'s", "'T", "'re", "'VE", "'ll", " the", " and", "ing", "\u200d", "\ufe0f", "\u00e9", "e\u0301", "\u4e2d\u6587"]
BLOCKS = [
    (0x20, 0x7F), (0x61, 0x7B), (0x30, 0x3A), (0x80, 0x250), (0x300, 0x370), (0x370, 0x800), (0x900, 0x1200),
    (0x1100, 0x1200), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0x1F300, 0x1FB00), (0, 0x20), (0xE000, 0x110000),
]


def random_texts(random, count):
    def piece():
        kind = random.randrange(len(BLOCKS) + 4)
        if kind < len(BLOCKS):
            return chr(random.randrange(*BLOCKS[kind]))
        return random.choice([[" "], list("\n\r\t  \u00a0\u3000'"), SPECIALS, WORDS][kind - len(BLOCKS)])

    return ["".join(piece() for _ in range(random.choice([1, 2, 3, 5, 8, 13, 21, 40]))) for _ in range(count)]
