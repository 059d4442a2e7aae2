/// Why a lab could not be what was asked for. The text is for the user; the code is the exit code.
struct LabFailure: Error, CustomStringConvertible {
    /// What `netpold lab` exits with.
    enum Code: Int32 {
        /// The manifests or arguments are wrong.
        case input = 2
        /// The machine does not allow it.
        case environment = 3
    }

    var code: Code
    var description: String

    static func input(_ text: String) -> LabFailure { LabFailure(code: .input, description: text) }
    static func environment(_ text: String) -> LabFailure { LabFailure(code: .environment, description: text) }
}
