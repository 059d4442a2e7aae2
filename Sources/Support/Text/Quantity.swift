/// Numbers as people read them. The one place where they become text with units, commas or decimals.
public enum Quantity {
    /// `512 B`, `4.0 KiB`, `39.0 MiB`: rounded to a tenth of the largest unit that it has at least one of, up to GiB.
    public static func bytes(_ count: UInt64) -> String {
        guard count >= 1024 else { return "\(count) B" }
        var unit: UInt64 = 1024
        for name in ["KiB", "MiB"] {
            // Rounded up to 1024 of them is one of the next.
            if tenths(count, unit) < 10_240 { return "\(decimal(tenths(count, unit), places: 1)) \(name)" }
            unit *= 1024
        }
        return "\(decimal(tenths(count, unit), places: 1)) GiB"
    }

    /// `3 d 4 h`, `5 min 6 s`: the two largest units.
    public static func duration(seconds: UInt64) -> String {
        switch seconds {
        case 86_400...: "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
        case 3600...: "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        case 60...: "\(seconds / 60) min \(seconds % 60) s"
        default: "\(seconds) s"
        }
    }

    /// `1,344`: a comma every three digits.
    public static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number.magnitude).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// `1.05`: rounded to so many decimals (0 to 9); `-` for what is not a finite number or has no room.
    public static func fixed(_ value: Double, places: Int) -> String {
        let scaled = (0..<places).reduce(value) { scaled, _ in scaled * 10 }.rounded()
        guard let whole = Int(exactly: scaled) else { return "-" }
        return (whole < 0 ? "-" : "") + decimal(UInt64(whole.magnitude), places: places)
    }

    private static func tenths(_ count: UInt64, _ unit: UInt64) -> UInt64 {
        // Split, so that no count overflows.
        count / unit * 10 + (count % unit * 10 + unit / 2) / unit
    }

    private static func decimal(_ number: UInt64, places: Int) -> String {
        guard places > 0 else { return "\(number)" }
        let digits = String(number)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return "\(padded.dropLast(places)).\(padded.suffix(places))"
    }
}
