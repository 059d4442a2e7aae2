/// Distinct texts, numbered from 0 up as they come. Equal is what `==` says of texts.
struct TextTable: Sendable {
    /// By number.
    private(set) var texts: [String] = []
    private var table = ProbeTable()
    private let hash = KeyedHash()
    /// All texts, from the first one on that is not ASCII: such a text may be equal to one of other bytes, which `Dictionary` knows.
    private var numbers: [String: Int]?

    /// The number of a text; `nil`: it has none.
    func number(of text: String) -> Int? {
        if let numbers { return numbers[text] }
        // Rare: labels and names are ASCII.
        guard let hash = hash.hash(text) else { return texts.firstIndex(of: text) }
        return find(text, hash)
    }

    /// The number of a text, a new one at its first use.
    mutating func intern(_ text: String) -> Int {
        if numbers == nil {
            if let hash = hash.hash(text) {
                if let known = find(text, hash) { return known }
                table.append(hash)
                texts.append(text)
                return texts.count - 1
            }
            numbers = allNumbers()
            table = ProbeTable()
        }
        if let known = numbers?[text] { return known }
        numbers?[text] = texts.count
        texts.append(text)
        return texts.count - 1
    }

    /// Makes room for so many more.
    mutating func reserve(_ more: Int) {
        texts.reserveCapacity(texts.count + more)
        if numbers == nil { table.reserve(more) }
    }

    private func find(_ text: String, _ hash: UInt64) -> Int? {
        var probe = table.probe(hash)
        while let candidate = table.next(&probe) {
            if texts[candidate] == text { return candidate }
        }
        return nil
    }

    private func allNumbers() -> [String: Int] {
        Dictionary(texts.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
    }
}
