import NetpoldTestSupport

typealias ScratchFolder = NetpoldTestSupport.ScratchFolder

/// Waits until a condition holds; false when it does not in a long time. Generous: tests of other suites that block hold the
/// threads that tasks need.
func eventually(_ condition: () throws -> Bool) async rethrows -> Bool {
    for _ in 0..<3000 {
        if try condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return try condition()
}
