// A fragment of the manual becomes a program here.
#include <knhk.hpp>

int main() {
    knhk::engine engine(":memory:");
    engine.create_sector("orders");
    engine.promote_json("orders", R"({"max_qty": {"$value": 1000, "$min": 1, "$max": 5000}})");
    // snippet
}
