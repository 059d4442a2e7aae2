extension NodeDatapath {
    /// Returns when every program that was running at the call has ended (`RunningPrograms`), the proxy's lessons among them.
    func waitForPrograms() throws(BPFError) {
        try RunningPrograms.wait()
        try maps.proxy?.lessons?.wait()
    }
}
