import NetTypes
import PolicyIR

/// The subjects of a node: classes of local pods.
struct SubjectTable: Sendable {
    /// A subject.
    struct Subject: Sendable {
        var key: String
        var podClass: IdentityIndex.ClassID
        var namespace: String
        /// Numbers of the lowered policies that select it, in the order of their origins.
        var applying: [Int]
        /// Numbers of its compiled policies.
        var ingress: Int
        var egress: Int
        /// Local pods that are of it.
        var pods: Int

        /// The number of the compiled policy of a direction.
        subscript(direction: Direction) -> Int {
            get { direction == .ingress ? ingress : egress }
            set { if direction == .ingress { ingress = newValue } else { egress = newValue } }
        }
    }

    private var subjects: [Subject?] = []
    private var free: [Int] = []
    private var numbers: [IdentityIndex.ClassID: Int] = [:]
    /// Numbers, sorted by key.
    private(set) var order: [Int] = []

    /// The subject of a number.
    subscript(number: Int) -> Subject? { subjects[number] }

    /// The number of the subject that a class of pods is.
    func number(of podClass: IdentityIndex.ClassID) -> Int? { numbers[podClass] }

    /// The number that the next subject gets.
    mutating func reserveNumber() -> Int {
        if let number = free.popLast() { return number }
        subjects.append(nil)
        return subjects.count - 1
    }

    /// Adds a subject under a number that was reserved for it.
    mutating func add(_ subject: Subject, as number: Int) {
        subjects[number] = subject
        numbers[subject.podClass] = number
        order.insert(number, at: place(of: subject.key))
    }

    /// Takes a subject out.
    mutating func remove(_ number: Int) {
        guard let subject = subjects[number] else { return }
        order.remove(at: place(of: subject.key))
        numbers[subject.podClass] = nil
        subjects[number] = nil
        free.append(number)
    }

    /// Counts the pods of a subject up or down. Returns how many it has then.
    mutating func count(_ number: Int, by step: Int) -> Int {
        subjects[number]?.pods += step
        return subjects[number]?.pods ?? 0
    }

    /// Notes which policies select a subject.
    mutating func setApplying(_ number: Int, _ applying: [Int]) { subjects[number]?.applying = applying }

    /// Gives a subject another compiled policy.
    mutating func setPolicy(_ number: Int, _ direction: Direction, _ policy: Int) {
        subjects[number]?[direction] = policy
    }

    private func place(of key: String) -> Int {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if let there = subjects[order[middle]]?.key, there < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
