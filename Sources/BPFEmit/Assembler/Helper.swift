/// A kernel helper that emitted programs call. The raw value is its number (`enum bpf_func_id`).
public enum Helper: Int32, Hashable, CaseIterable, Sendable {
    /// r1 = map, r2 = address of the key; returns the address of the value or 0.
    case mapLookup = 1
    /// r1 = context, r2 = prog array, r3 = index; returns only on failure.
    case tailCall = 12
}

extension Helper: CustomStringConvertible {
    /// The kernel's name without `BPF_FUNC_`.
    public var description: String {
        switch self {
        case .mapLookup: "map_lookup_elem"
        case .tailCall: "tail_call"
        }
    }
}
