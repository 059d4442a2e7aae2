import Testing

@testable import netpold

@Suite("netpold detach")
struct DetachLinesTests {
    @Test("pins are counted by folder")
    func lines() {
        let folder = "/sys/fs/bpf/netpold/default/v7"
        #expect(
            DetachCommand.lines(of: ["\(folder)/links/a", "\(folder)/links/b", "\(folder)/np_steps"])
                == ["removed 2 pins of \(folder)/links", "removed 1 pin of \(folder)"])
        #expect(DetachCommand.lines(of: []) == [])
    }
}
