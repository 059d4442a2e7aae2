import NetTypes
import PolicyAPI
import PolicyIR

/// Subjects: local pods come and go, and other policies select them.
extension CompilerState {
    /// Brings subjects in step with policies, namespaces and pods that changed.
    mutating func changeSubjects(_ batch: inout Batch) {
        if !batch.retired.isEmpty || !batch.installed.isEmpty || !batch.namespaces.isEmpty { reselect(&batch) }
        reselectHost(&batch)
        // A subject whose last pod is replaced stays.
        for podClass in batch.entered {
            guard let new = enter(podClass) else { continue }
            batch.moved += Direction.allCases.map { (new, $0, nil) }
        }
        for podClass in batch.left { leave(podClass) }
    }

    /// Counts a local pod of a class. Returns the subject if it is new.
    @discardableResult
    mutating func enter(_ podClass: IdentityIndex.ClassID) -> Int? {
        if let known = subjects.number(of: podClass) {
            _ = subjects.count(known, by: 1)
            return nil
        }
        let applying = slots.applying(to: podClass, in: &index)
        let new = subjects.reserveNumber()
        let key = index.text(ofClass: podClass)
        let ingress = use(.ingress, of: podClass, applying, by: new, named: key)
        let egress = use(.egress, of: podClass, applying, by: new, named: key)
        subjects.add(
            SubjectTable.Subject(
                key: key, podClass: podClass, namespace: index.namespace(ofClass: podClass), applying: applying,
                ingress: ingress, egress: egress, pods: 1),
            as: new)
        return new
    }

    mutating func use(
        _ direction: Direction, of podClass: IdentityIndex.ClassID, _ applying: [Int], by subject: Int,
        named key: String, inPlaceOf before: Int? = nil
    ) -> Int {
        compiled.use(
            direction, of: podClass, applying, of: slots.policies, by: subject, named: key, inPlaceOf: before,
            &allocator.columns, in: &index)
    }

    /// Counts a local pod of a class off; its subject goes with the last one.
    private mutating func leave(_ podClass: IdentityIndex.ClassID) {
        guard let number = subjects.number(of: podClass), let subject = subjects[number],
            subjects.count(number, by: -1) == 0
        else { return }
        subjects.remove(number)
        allocator.columns.forget(subject.key)
        for direction in Direction.allCases { compiled.release(subject[direction], by: number, in: &index) }
    }

    /// Finds out which policies select the subjects now. Only subjects for which that changes get other policies.
    private mutating func reselect(_ batch: inout Batch) {
        let retired = Set(batch.retired)
        for number in subjects.order where number != hostSubject && number != formerHostSubject {
            guard let subject = subjects[number] else { continue }
            var applying: [Int]?
            if batch.namespaces.contains(subject.namespace) {
                let found = slots.applying(to: subject.podClass, in: &index)
                applying = found == subject.applying ? nil : found
            } else {
                applying = slots.applying(
                    to: subject.podClass, before: subject.applying, without: retired, and: batch.installed, in: &index)
            }
            guard let applying else { continue }
            subjects.setApplying(number, applying)
            for direction in Direction.allCases { move(number, subject, direction, applying, &batch) }
        }
    }

    mutating func move(
        _ number: Int, _ subject: SubjectTable.Subject, _ direction: Direction, _ applying: [Int],
        _ batch: inout Batch
    ) {
        let before = subject[direction]
        // The new one first: what both ask for is not forgotten.
        let policy = use(
            direction, of: subject.podClass, applying, by: number, named: subject.key, inPlaceOf: before)
        guard policy != before else { return }
        batch.moved.append((number, direction, compiled.image(before)))
        subjects.setPolicy(number, direction, policy)
        compiled.release(before, by: number, in: &index)
    }
}
