"""One router per noun: parse, call, answer."""
