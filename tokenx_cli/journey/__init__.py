"""The main job, once, through the public interface: tokenize, onboard, issue, trade, settle, screen, redeem. `tokenx demo` shows it; tests/flows checks it."""
