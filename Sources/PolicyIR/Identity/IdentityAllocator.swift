public import NetTypes

/// Gives classes of remote ends their numbers, and keeps them.
///
/// A class is named by its key, a text that says everything policies can see of it. From empty, numbers follow the sorted
/// keys, so equal inputs give equal numbers on every machine. Over updates a key keeps its number, and a number is never
/// given to another key. After a restart the allocator is seeded with what the kernel holds; `assign` says how classes
/// adopt those numbers.
public struct IdentityAllocator: Sendable {
    /// A class that needs a number.
    public struct Request: Sendable {
        /// The class's key.
        public var key: String
        /// Where its number is taken from.
        public var scope: IdentityScope
        /// Its addresses (pods, nodes); only needed while `wantsMembers`.
        public var addresses: [IPAddress]
        /// Its prefixes (outside the cluster); only needed while `wantsMembers`.
        public var prefixes: [IPPrefix]

        /// A request.
        public init(key: String, scope: IdentityScope, addresses: [IPAddress] = [], prefixes: [IPPrefix] = []) {
            self.key = key
            self.scope = scope
            self.addresses = addresses
            self.prefixes = prefixes
        }
    }

    /// The columns of names.
    public var columns = NameColumns()

    /// Keys that have numbers.
    private var keys = TextTable()
    /// By place of the key.
    private var numbers: [UInt32] = []
    private var next: [UInt32] = IdentityScope.allCases.map(\.numbers.lowerBound)
    private var pinnedAddresses: [IPAddress: UInt32] = [:]
    private var pinnedPrefixes: [IPPrefix: UInt32] = [:]

    /// An allocator that has given no number.
    public init() {}

    /// An allocator that goes on from the entries of np_addresses and np_prefixes found in the kernel.
    public init(pinnedAddresses: [(IPAddress, UInt32)], pinnedPrefixes: [(IPPrefix, UInt32)]) {
        for (address, number) in pinnedAddresses { self.pinnedAddresses[address] = number }
        for (prefix, number) in pinnedPrefixes { self.pinnedPrefixes[prefix] = number }
        for number in [pinnedAddresses.map(\.1), pinnedPrefixes.map(\.1)].joined() {
            guard let scope = IdentityScope(of: number) else { continue }
            next[scope.rawValue] = max(next[scope.rawValue], number + 1)
        }
    }

    /// Whether `assign` would look at the members of classes: after a restart, for the first batch.
    public var wantsMembers: Bool { !pinnedAddresses.isEmpty || !pinnedPrefixes.isEmpty }

    /// Keys that have numbers, used or not.
    public var count: Int { numbers.count }

    /// The number of a key, if it has one.
    public func number(of key: String) -> UInt32? { keys.number(of: key).map { numbers[$0] } }

    /// Numbers for classes, in the order asked.
    ///
    /// Keys without a number get the next ones in the order of their texts. In the first batch after seeding, a class
    /// first tries to *adopt* a pinned number: all of its members that are pinned must hold the same number, of the
    /// class's scope, and no other class of the batch may have a member that holds it. Otherwise it gets a new number.
    /// A scope that has no number left answers `unknown`, which no allow rule names.
    public mutating func assign(_ requests: [Request]) -> [UInt32] {
        if wantsMembers { adopt(requests) }
        let fresh = Set(requests.indices.filter { number(of: requests[$0].key) == nil }.map { requests[$0].key })
        if !fresh.isEmpty {
            var scopes: [String: IdentityScope] = [:]
            for request in requests where fresh.contains(request.key) { scopes[request.key] = request.scope }
            for key in fresh.sorted() { _ = number(for: key, scope: scopes[key] ?? .pod) }
        }
        return requests.map { number(of: $0.key) ?? ReservedIdentity.unknown.rawValue }
    }

    /// Makes room for so many more keys.
    public mutating func reserve(_ more: Int) {
        keys.reserve(more)
        numbers.reserveCapacity(numbers.count + more)
    }

    /// The number of one class, a new one if it has none.
    public mutating func number(for key: String, scope: IdentityScope) -> UInt32 {
        guard scope.numbers.contains(next[scope.rawValue]) else {
            return number(of: key) ?? ReservedIdentity.unknown.rawValue
        }
        let place = keys.intern(key)
        if place == numbers.count {
            numbers.append(next[scope.rawValue])
            next[scope.rawValue] += 1
        }
        return numbers[place]
    }

    /// Forgets the keys that are not in use. Their numbers are not given again.
    public mutating func forget(except used: Set<String>) {
        let all = zip(keys.texts, numbers)
        (keys, numbers) = (TextTable(), [])
        for (key, number) in all where used.contains(key) { set(key, number) }
    }

    private mutating func set(_ key: String, _ number: UInt32) {
        if keys.intern(key) == numbers.count { numbers.append(number) }
    }

    /// Lets classes take over pinned numbers, then forgets the pins: adoption happens once.
    private mutating func adopt(_ requests: [Request]) {
        var holders: [UInt32: Set<String>] = [:]
        var claims: [String: Set<UInt32>] = [:]
        for request in requests {
            let held =
                request.addresses.compactMap { pinnedAddresses[$0] }
                + request.prefixes.compactMap { pinnedPrefixes[$0] }
            for number in held { holders[number, default: []].insert(request.key) }
            claims[request.key, default: []].formUnion(held)
        }
        for request in requests where number(of: request.key) == nil {
            guard let claim = claims[request.key], claim.count == 1, let number = claim.first,
                holders[number]?.count == 1, request.scope.numbers.contains(number)
            else { continue }
            set(request.key, number)
        }
        pinnedAddresses = [:]
        pinnedPrefixes = [:]
    }
}
