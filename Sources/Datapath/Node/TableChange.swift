import BPFEmit
import NetTypes

/// What turns the entries of np_addresses and np_prefixes into those of an image, in an order in which every address
/// goes from its old identity to its new one in one step, without a third in between.
struct TableChange {
    /// 1. Exact addresses added or changed: from here on no prefix matters to them.
    let addressUpserts: [AddressEntry]
    /// 2. Prefixes added or changed, longest first: none shows through before the one inside it is there.
    let prefixUpserts: [PrefixEntry]
    /// 3. Prefixes removed, shortest first: what a longer one leaves falls to a prefix of the image.
    let prefixRemovals: [IPPrefix]
    /// 4. Exact addresses removed: they fall to a prefix of the image.
    let addressRemovals: [IPAddress]
    /// The addresses that had another identity, or had one, with it; by address.
    let formerAddresses: [AddressEntry]
    /// The same of prefixes.
    let formerPrefixes: [PrefixEntry]
    /// Whether anybody's identity is another one after it: marks of Services alone change no verdict.
    let changesVerdicts: Bool
    /// Whether an address or prefix that is known has another identity after it, or a prefix none: then flows with its ends may be
    /// revoked. An address that comes or goes has no flows that anybody would miss.
    let mayRevoke: Bool

    /// O(entries), both sides being sorted; what does not change costs one comparison.
    init(from known: TablesInForce, to image: NodeImage) {
        let addresses = SortedChange(from: known.addresses, to: image.addresses, by: \.address)
        let prefixes = SortedChange(from: known.prefixes, to: image.prefixes, by: \.prefix)
        addressUpserts = addresses.upserts.map(\.new)
        addressRemovals = addresses.removals.map(\.address)
        prefixUpserts = prefixes.upserts.map(\.new)
            .sorted { ($1.prefix.mappedLength, $0.prefix) < ($0.prefix.mappedLength, $1.prefix) }
        prefixRemovals = prefixes.removals.map(\.prefix).sorted { ($0.mappedLength, $0) < ($1.mappedLength, $1) }
        formerAddresses = addresses.upserts.compactMap(\.old) + addresses.removals
        formerPrefixes = prefixes.upserts.compactMap(\.old) + prefixes.removals
        func isSame(_ old: AddressEntry, _ new: AddressEntry) -> Bool {
            old.unmarkedIdentity == new.unmarkedIdentity && old.isShared == new.isShared
        }
        let isAnother = addresses.upserts.contains { change in change.old.map { !isSame($0, change.new) } ?? false }
        mayRevoke = !prefixes.removals.isEmpty || prefixes.upserts.contains { $0.old != nil } || isAnother
        guard prefixes.upserts.isEmpty, prefixes.removals.isEmpty else {
            changesVerdicts = true
            return
        }
        // What has an entry for its mark alone has the identity that it would have without.
        let added = addresses.upserts.filter { $0.old == nil }.map(\.new) + addresses.removals
        let marked = added.filter { ($0.isFrontend || $0.isBackend) && !$0.isShared }
        guard !isAnother, marked.count == added.count else {
            changesVerdicts = true
            return
        }
        guard !marked.isEmpty else {
            changesVerdicts = false
            return
        }
        let outside = IdentityTable(known.prefixes)
        changesVerdicts = marked.contains { $0.unmarkedIdentity != outside.identity(of: $0.address) }
    }

    /// Whether the kernel has these entries already.
    var isEmpty: Bool { count == 0 }

    /// Entries written or removed.
    var count: Int {
        addressUpserts.count + prefixUpserts.count + prefixRemovals.count + addressRemovals.count
    }
}

/// What turns one sorted list into another.
private struct SortedChange<Entry: Equatable, Order: Comparable> {
    var upserts: [(old: Entry?, new: Entry)] = []
    var removals: [Entry] = []

    init(from old: [Entry], to new: [Entry], by order: (Entry) -> Order) {
        // What did not change is the same storage.
        if old == new { return }
        var place = 0
        for entry in new {
            let wanted = order(entry)
            while place < old.count, order(old[place]) < wanted {
                removals.append(old[place])
                place += 1
            }
            if place < old.count, order(old[place]) == wanted {
                if old[place] != entry { upserts.append((old[place], entry)) }
                place += 1
            } else {
                upserts.append((nil, entry))
            }
        }
        removals += old[place...]
    }
}
