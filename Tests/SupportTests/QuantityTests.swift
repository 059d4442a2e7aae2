import Support
import Testing

@Suite("Quantities in words")
struct QuantityTests {
    @Test(
        "bytes are rounded to a tenth of their unit",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (4 << 10, "4.0 KiB"),
            (1_048_524, "1023.9 KiB"), (1_048_575, "1.0 MiB"), (39 << 20, "39.0 MiB"), (3 << 30, "3.0 GiB"),
            (UInt64.max, "17179869184.0 GiB"),
        ])
    func bytes(count: UInt64, text: String) { #expect(Quantity.bytes(count) == text) }

    @Test(
        "durations have their two largest units",
        arguments: [
            (0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3661, "1 h 1 min"), (273_600, "3 d 4 h"),
        ])
    func duration(seconds: UInt64, text: String) { #expect(Quantity.duration(seconds: seconds) == text) }

    @Test(
        "numbers have a comma every three digits",
        arguments: [(0, "0"), (999, "999"), (1344, "1,344"), (1_000_000, "1,000,000"), (-1000, "-1,000")])
    func grouping(number: Int, text: String) { #expect(Quantity.grouped(number) == text) }

    @Test(
        "decimals are rounded, and what is no number is none",
        arguments: [
            (1.0491, 2, "1.05"), (0.05, 1, "0.1"), (12.0, 0, "12"), (-0.5, 2, "-0.50"), (0.0004, 3, "0.000"),
            (.infinity, 2, "-"), (.nan, 2, "-"),
        ])
    func fixed(value: Double, places: Int, text: String) { #expect(Quantity.fixed(value, places: places) == text) }
}
