import NetTypes
import PolicyIR

/// What must hold of the small languages inside manifests: addresses, prefixes, ends of flows, selectors, names, patterns.
public enum ValueLaws {
    /// Reads each line of a text as every one of them, beside the next line where two are needed.
    public static func check(_ bytes: [UInt8]) throws(BrokenLaw) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .prefix(8).map(String.init)
        for (index, line) in lines.enumerated() {
            let next = index + 1 < lines.count ? lines[index + 1] : ""
            try address(line)
            try prefix(line, next)
            try words(line)
            try SelectorLaws.check(key: line, value: next, other: lines.last ?? "")
            try NameLaws.check(pattern: line, name: next)
        }
    }

    private static func address(_ text: String) throws(BrokenLaw) {
        guard let address = IPAddress(parsing: text) else { return }
        try BrokenLaw.unless(IPAddress(parsing: address.description) == address, "\(text) is written \(address)")
        try BrokenLaw.unless(IPPrefix(host: address).contains(address), "\(address) is not in its own prefix")
        let whole = IPPrefix(address, length: address.isIPv4 ? 32 : 128)
        try BrokenLaw.unless(whole == IPPrefix(host: address), "\(address) has two prefixes")
    }

    private static func prefix(_ text: String, _ other: String) throws(BrokenLaw) {
        guard let prefix = IPPrefix(parsing: text) else { return }
        try BrokenLaw.unless(IPPrefix(parsing: prefix.description) == prefix, "\(text) is written \(prefix)")
        try BrokenLaw.unless(prefix.contains(prefix) && prefix.contains(prefix.address), "\(prefix) lacks its first")
        if let address = IPAddress(parsing: other) {
            let naive = prefix.isIPv4 == address.isIPv4 && commonBits(prefix.address, address) >= prefix.mappedLength
            try BrokenLaw.unless(prefix.contains(address) == naive, "\(prefix) and \(address)")
        }
        if let second = IPPrefix(parsing: other), prefix.contains(second) {
            try BrokenLaw.unless(prefix.contains(second.address), "\(prefix) has \(second), not its first address")
        }
    }

    private static func commonBits(_ left: IPAddress, _ right: IPAddress) -> Int {
        var count = 0
        for (one, two) in zip(left.bytes, right.bytes) {
            count += (one ^ two).leadingZeroBitCount
            if one != two { break }
        }
        return count
    }

    private static func words(_ text: String) throws(BrokenLaw) {
        if let end = FlowEnd(parsing: text) {
            try BrokenLaw.unless(FlowEnd(parsing: end.description) == end, "\(text) is written \(end)")
        }
        if let name = TrafficName(parsing: text) {
            let again = TrafficName(parsing: "\(name.protocol)/\(name.port)")
            try BrokenLaw.unless(again == name, "\(text) is read again as something else")
        }
    }
}
