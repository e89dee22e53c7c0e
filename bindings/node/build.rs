//! Link arguments of a Node addon. On Linux these include `-z nodelete`: Node unloads an addon with the last worker that loaded it, and
//! the engine's threads must not lose their code.

fn main() {
    napi_build::setup();
}
