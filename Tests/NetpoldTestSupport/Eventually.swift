/// Waits until a condition holds; false when it does not in a long time. Generous: tests of other suites that block hold the
/// threads that tasks need.
public func eventually(within limit: Duration = .seconds(60), _ condition: () throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + limit
    while .now < end {
        if try condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return try condition()
}
