// The library from C++: one trade, the engine owned by a unique_ptr. Prints the events, one a line: type order price quantity.
//
//     c++ -std=c++17 -I include book.cpp -L. -lmatcher_core -o book && ./book
#include <cstdint>
#include <iostream>
#include <memory>
#include <vector>

#include "matcher_core.h"

namespace {

constexpr std::uint8_t LIMIT = 1, BUY = 0, SELL = 1, CANCEL_NEWEST = 1;
constexpr std::uint32_t SYMBOL = 7;

struct FreeEngine {
    void operator()(mc_engine *engine) const noexcept { mc_engine_free(engine); }
};
using Engine = std::unique_ptr<mc_engine, FreeEngine>;

mc_command_t limit(std::uint64_t order_id, std::uint8_t side, std::int64_t price, std::uint64_t quantity, std::uint64_t owner) {
    mc_command_t command{};
    command.op = LIMIT;
    command.side = side;
    command.symbol = SYMBOL;
    command.seq = order_id;
    command.order_id = order_id;
    command.owner = owner;
    command.price = price;
    command.quantity = quantity;
    return command;
}

}  // namespace

int main() {
    static_assert(sizeof(mc_command_t) == 64 && sizeof(mc_event_t) == 64, "records are 64 bytes");
    Engine engine{mc_engine_new(&SYMBOL, 1, CANCEL_NEWEST, 1000)};
    if (!engine) {
        return 1;
    }
    const std::vector<mc_command_t> commands{limit(1, SELL, 101, 10, 7), limit(2, BUY, 102, 4, 8), limit(3, BUY, 101, 0, 9)};
    const std::int64_t count = mc_process(engine.get(), commands.data(), commands.size());
    const mc_event_t *events = mc_events(engine.get());
    for (std::int64_t i = 0; i < count; i++) {
        std::cout << int{events[i].type} << ' ' << events[i].order_id << ' ' << events[i].price << ' ' << events[i].quantity << '\n';
    }
    return count < 0;
}
