
extension RunningAgent {
    /// Whether everything seen is in force within half a minute, whatever conditions there are.
    func settles() -> Bool { (try? settle()) != nil }
}
