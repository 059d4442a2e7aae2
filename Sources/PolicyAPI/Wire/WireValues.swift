/// Shares equal values: the pods of a deployment have the same labels and ports, and each would keep its own.
///
/// Of bounded size: a value takes the place of the one before it, and that one is then no longer shared.
struct WireValues<Value: Hashable & Sendable>: Sendable {
    private static var places: Int { 4_096 }

    private var shared: [Value?] = []

    /// The value, or an equal one that was there before.
    mutating func sharing(_ value: Value) -> Value {
        if shared.isEmpty { shared = Array(repeating: nil, count: Self.places) }
        let place = Int(UInt(bitPattern: value.hashValue) % UInt(Self.places))
        if let known = shared[place], known == value { return known }
        shared[place] = value
        return value
    }
}
