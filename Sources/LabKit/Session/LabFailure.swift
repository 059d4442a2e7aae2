/// Why a lab could not be what was asked for. The text is for the user.
public enum LabFailure: Error, Hashable {
    /// The manifests or arguments are wrong.
    case input(String)
    /// The machine does not allow it.
    case environment(String)
}

extension LabFailure: CustomStringConvertible {
    /// The text.
    public var description: String {
        switch self {
        case .input(let text), .environment(let text): text
        }
    }
}
