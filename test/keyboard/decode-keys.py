"""Decodes key events into text, as a Linux desktop does: by libxkbcommon, with its Compose table.

Reads JSON from standard input: a list of [layout, variant, events], where an event is [evdev key code, pressed]. Writes a
list of texts.
"""

import ctypes
import json
import sys

xkb = ctypes.CDLL("libxkbcommon.so.0")
pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32


def declare(name, result, *arguments):
    function = getattr(xkb, name)
    function.restype, function.argtypes = result, arguments
    return function


class Names(ctypes.Structure):
    _fields_ = [(name, text) for name in ("rules", "model", "layout", "variant", "options")]


new_context = declare("xkb_context_new", pointer, number)
new_keymap = declare("xkb_keymap_new_from_names", pointer, pointer, ctypes.POINTER(Names), number)
new_state = declare("xkb_state_new", pointer, pointer)
update_key = declare("xkb_state_update_key", number, pointer, number, number)
get_keysym = declare("xkb_state_key_get_one_sym", number, pointer, number)
keysym_to_character = declare("xkb_keysym_to_utf32", number, number)
new_table = declare("xkb_compose_table_new_from_locale", pointer, pointer, text, number)
new_compose = declare("xkb_compose_state_new", pointer, pointer, number)
feed = declare("xkb_compose_state_feed", number, pointer, number)
get_status = declare("xkb_compose_state_get_status", number, pointer)
get_composed = declare("xkb_compose_state_get_one_sym", number, pointer)
reset = declare("xkb_compose_state_reset", None, pointer)

COMPOSING, COMPOSED, CANCELLED = 1, 2, 3
context = new_context(0)
compose_table = new_table(context, b"en_US.UTF-8", 0)
assert context and compose_table


def decode(layout, variant, events):
    names = Names(b"evdev", b"pc105", layout.encode(), variant.encode(), None)
    keymap = new_keymap(context, ctypes.byref(names), 0)
    assert keymap, layout
    state, compose = new_state(keymap), new_compose(compose_table, 0)
    characters, held = [], set()
    for code, pressed in events:
        if pressed:
            keysym = get_keysym(state, code + 8)
            feed(compose, keysym)
            status = get_status(compose)
            if status in (COMPOSED, CANCELLED):
                keysym = get_composed(compose) if status == COMPOSED else 0
                reset(compose)
            # A key without a character gets the replacement character, unless it is a modifier.
            point = 0 if status == COMPOSING else keysym_to_character(keysym)
            if point:
                characters.append("\n" if point == 13 else chr(point))
            elif status == CANCELLED or (status != COMPOSING and keysym < 0xFE00):
                characters.append("\N{REPLACEMENT CHARACTER}")
            held.add(code)
        else:
            held.discard(code)
        update_key(state, code + 8, 1 if pressed else 0)
    return "".join(characters) + ("" if not held else " (held: %s)" % sorted(held))


json.dump([decode(*each) for each in json.load(sys.stdin)], sys.stdout)
