(* What is known of sums over ranges of integers, proved from Coq's standard library without axioms. *)
Require Export Lia Ring.
Require Import Permutation.
From Symconv Require Export Definitions.

Lemma in_range lo hi x : In x (range lo hi) <-> lo <= x <= hi.
Proof.
  unfold range. rewrite in_map_iff. split.
  - intros [k [<- H]]. apply in_seq in H. lia.
  - intros H. exists (Z.to_nat (x - lo)). split; [lia|]. apply in_seq. lia.
Qed.
Lemma nodup_map {A B} (f : A -> B) l :
  (forall x y, In x l -> In y l -> f x = f y -> x = y) -> NoDup l -> NoDup (map f l).
Proof.
  intros H N. induction N as [|x l X N IH]; cbn; constructor.
  - rewrite in_map_iff. intros [y [E Y]]. apply H in E; cbn; auto. subst. auto.
  - apply IH. intros; apply H; cbn; auto.
Qed.
Lemma nodup_range lo hi : NoDup (range lo hi).
Proof. apply nodup_map; [intros; lia | apply seq_NoDup]. Qed.
(* The pairs (x, y) with x in l and y in l' x: the points of a sum within a sum. *)
Definition points {A B} (l : list A) (l' : A -> list B) : list (A * B) := flat_map (fun x => map (pair x) (l' x)) l.
Lemma in_points {A B} (l : list A) (l' : A -> list B) x y : In (x, y) (points l l') <-> In x l /\ In y (l' x).
Proof.
  unfold points. rewrite in_flat_map. split.
  - intros [z [Hz H]]. apply in_map_iff in H as [w [E Hw]]. inversion E; subst; auto.
  - intros [Hx Hy]. exists x. split; auto. apply in_map; auto.
Qed.
Lemma nodup_app {A} (l l' : list A) : NoDup l -> NoDup l' -> (forall x, In x l -> ~ In x l') -> NoDup (l ++ l').
Proof.
  induction 1 as [|x l X N IH]; cbn; auto. intros N' D. constructor.
  - rewrite in_app_iff. intros [Y|Y]; [auto | apply (D x); cbn; auto].
  - apply IH; [exact N' | intros y Y; apply D; cbn; auto].
Qed.
Lemma nodup_points {A B} (l : list A) (l' : A -> list B) : NoDup l -> (forall x, NoDup (l' x)) -> NoDup (points l l').
Proof.
  intros N H. induction N as [|x l X N IH]; [constructor|]. cbn. apply nodup_app; auto.
  - apply nodup_map; auto. congruence.
  - intros [u v] U V. apply in_map_iff in U as [w [E _]]. inversion E; subst. apply in_points in V as [? _]. auto.
Qed.

Lemma inside_iff lo x hi : inside lo x hi = true <-> lo <= x <= hi.
Proof. unfold inside. rewrite andb_true_iff, !Z.leb_le. reflexivity. Qed.
Lemma inside_not lo x hi : inside lo x hi = false -> x < lo \/ hi < x.
Proof. unfold inside. rewrite andb_false_iff, !Z.leb_gt. lia. Qed.
Lemma dvd_elim d n : 1 <= d -> dvd d n = true -> exists t, n = d * t /\ n / d = t.
Proof. intros Hd H. apply Z.eqb_eq in H. exists (n / d). split; auto. apply Z.div_exact; lia. Qed.
Lemma dvd_intro d n t : 1 <= d -> n = d * t -> dvd d n = true.
Proof. intros Hd ->. unfold dvd. rewrite Z.mul_comm, Z.mod_mul by lia. reflexivity. Qed.
Lemma dvd_false d n : 1 <= d -> dvd d n = false -> n mod d <> 0.
Proof. intros _ H. apply Z.eqb_neq. exact H. Qed.
Lemma floor_spec n d : 1 <= d -> 0 <= n - d * (n / d) <= d - 1.
Proof. intros. pose proof (Z.div_mod n d). pose proof (Z.mod_pos_bound n d). lia. Qed.
Lemma floor_intro n d t : 1 <= d -> 0 <= n - d * t <= d - 1 -> n / d = t.
Proof. intros. symmetry. apply Z.div_unique with (r := n - d * t); lia. Qed.
Lemma exact_intro n d t : 1 <= d -> n = d * t -> n / d = t.
Proof. intros Hd ->. rewrite Z.mul_comm. apply Z.div_mul. lia. Qed.

Section Ring.
Variable R : CRing.
Add Ring values : (laws R).

Lemma sum_ext {A} (l : list A) (f g : A -> R) : (forall x, In x l -> f x = g x) -> sum l f = sum l g.
Proof. induction l as [|x l IH]; cbn; intros H; auto. rewrite H, IH; auto. Qed.
Lemma sum_zero {A} (l : list A) : sum l (fun _ => @zero R) = zero.
Proof. induction l as [|x l IH]; cbn; auto. rewrite IH. ring. Qed.
Lemma sum_none {A} (l : list A) (f : A -> R) : (forall x, In x l -> f x = zero) -> sum l f = zero.
Proof. intros H. rewrite <- (sum_zero l). apply sum_ext. exact H. Qed.
Lemma sum_single (f : unit -> R) : sum [tt] f = f tt.
Proof. cbn. ring. Qed.
Lemma mul_sum {A} c (l : list A) (f : A -> R) : c · sum l f = sum l (fun x => c · f x).
Proof. induction l as [|x l IH]; cbn; [ring|]. rewrite <- IH. ring. Qed.
Lemma sum_mul {A} c (l : list A) (f : A -> R) : sum l f · c = sum l (fun x => f x · c).
Proof. induction l as [|x l IH]; cbn; [ring|]. rewrite <- IH. ring. Qed.
Lemma sum_add {A} (l : list A) (f g : A -> R) : sum l (fun x => f x ⊕ g x) = sum l f ⊕ sum l g.
Proof. induction l as [|x l IH]; cbn; [ring|]. rewrite IH. ring. Qed.
Lemma add_mul (a b c : R) : (a ⊕ b) · c = a · c ⊕ b · c.
Proof. ring. Qed.
Lemma mul_add (a b c : R) : c · (a ⊕ b) = c · a ⊕ c · b.
Proof. ring. Qed.
Lemma add_assoc (a b c : R) : a ⊕ b ⊕ c = a ⊕ (b ⊕ c).
Proof. ring. Qed.
Lemma iv_sum {A} c (l : list A) (f : A -> R) : iv c (sum l f) = sum l (fun x => iv c (f x)).
Proof. destruct c; cbn; auto. symmetry. apply sum_zero. Qed.
Lemma iv_add c (a b : R) : iv c (a ⊕ b) = iv c a ⊕ iv c b.
Proof. destruct c; cbn; auto. ring. Qed.
Lemma sum_app {A} (l l' : list A) (f : A -> R) : sum (l ++ l') f = sum l f ⊕ sum l' f.
Proof. induction l as [|x l IH]; cbn; [ring|]. rewrite IH. ring. Qed.
Lemma sum_map {A B} (h : A -> B) l (f : B -> R) : sum (map h l) f = sum l (fun x => f (h x)).
Proof. induction l as [|x l IH]; cbn; auto. rewrite IH; auto. Qed.
Lemma sum_points {A B} (l : list A) (l' : A -> list B) (f : A * B -> R) :
  sum (points l l') f = sum l (fun x => sum (l' x) (fun y => f (x, y))).
Proof. induction l as [|x l IH]; cbn; auto. rewrite sum_app, sum_map, <- IH. reflexivity. Qed.
Lemma sum_permuted {A} (l l' : list A) (f : A -> R) : Permutation l l' -> sum l f = sum l' f.
Proof. induction 1; cbn; auto; try congruence. ring. Qed.
Lemma sum_filter {A} (p : A -> bool) l (f : A -> R) : sum (filter p l) f = sum l (fun x => iv (p x) (f x)).
Proof. induction l as [|x l IH]; cbn; auto. destruct (p x); cbn; rewrite IH; auto. ring. Qed.

(* The one rule: two sums are equal along a bijection of the points of their domains. *)
Theorem sum_match {A B} (phi : A -> B) (psi : B -> A) (p : A -> bool) (v : A -> R) (q : B -> bool) (w : B -> R)
    (l : list A) (l' : list B) :
  NoDup l -> NoDup l' ->
  (forall x, In x l -> p x = true -> In (phi x) l' /\ q (phi x) = true /\ psi (phi x) = x /\ v x = w (phi x)) ->
  (forall y, In y l' -> q y = true -> In (psi y) l /\ p (psi y) = true /\ phi (psi y) = y) ->
  sum l (fun x => iv (p x) (v x)) = sum l' (fun y => iv (q y) (w y)).
Proof.
  intros N N' F G. rewrite <- !sum_filter. transitivity (sum (map phi (filter p l)) w).
  - rewrite sum_map. apply sum_ext. intros x H. apply filter_In in H as [? ?]. apply F; auto.
  - apply sum_permuted. apply NoDup_Permutation; [|apply NoDup_filter; auto|].
    + apply nodup_map; [|apply NoDup_filter; auto]. intros x y X Y E.
      apply filter_In in X as [? ?], Y as [? ?]. destruct (F x) as (_ & _ & <- & _), (F y) as (_ & _ & <- & _); auto.
      congruence.
    + intros y. rewrite in_map_iff, filter_In. split.
      * intros [x [<- H]]. apply filter_In in H as [? ?]. destruct (F x) as (? & ? & _); auto.
      * intros [? ?]. destruct (G y) as (? & ? & ?); auto. exists (psi y). rewrite filter_In. auto.
Qed.

(* Ways to rewrite one part of a sum of terms; a certificate's `terms` puts them together. *)
Lemma sum_by {A} (l : list A) (f g : A -> R) r : (forall x, f x = g x) -> sum l g = r -> sum l f = r.
Proof. intros H <-. apply sum_ext. auto. Qed.
Lemma add_by (a b c d : R) : a = c -> b = d -> a ⊕ b = c ⊕ d.
Proof. congruence. Qed.
Lemma mul_by (a b c d r : R) : a = c -> b = d -> c · d = r -> a · b = r.
Proof. congruence. Qed.
Lemma iv_by c (a b r : R) : a = b -> iv c b = r -> iv c a = r.
Proof. congruence. Qed.
Lemma by_trans (a b c : R) : a = b -> b = c -> a = c.
Proof. congruence. Qed.
Lemma sum_alike {A} (l l' : list A) (f g : A -> R) : l = l' -> (forall x, f x = g x) -> sum l f = sum l' g.
Proof. intros <- H. apply sum_ext. auto. Qed.
End Ring.

Section Field.
Variable F : CField.
Add Ring numbers : (laws F).
Lemma inj_0 : @inj F 0 = zero.
Proof. pose proof (inj_add F 0 0) as H. cbn in H. transitivity (sub (inj 0 ⊕ inj 0) (@inj F 0)); [ring | rewrite <- H; ring]. Qed.
Lemma inj_opp n : @inj F (- n) = opp (inj n).
Proof.
  transitivity (sub (@inj F (- n + n)) (inj n)); [rewrite inj_add; ring|]. rewrite Z.add_opp_diag_l, inj_0. ring.
Qed.
Lemma inj_sub m n : @inj F (m - n) = sub (inj m) (inj n).
Proof. unfold Z.sub. rewrite inj_add, inj_opp. ring. Qed.
Lemma inj_xO p : @inj F (Z.pos p~0) = (one ⊕ one) · inj (Z.pos p).
Proof. change (Z.pos p~0) with (2 * Z.pos p). rewrite inj_mul. change 2 with (1 + 1). rewrite inj_add, inj_1. ring. Qed.
Lemma inj_xI p : @inj F (Z.pos p~1) = (one ⊕ one) · inj (Z.pos p) ⊕ one.
Proof. change (Z.pos p~1) with (Z.pos p~0 + 1). rewrite inj_add, inj_xO, inj_1. ring. Qed.
Lemma inj_neg p : @inj F (Z.neg p) = opp (inj (Z.pos p)).
Proof. change (Z.neg p) with (- Z.pos p). apply inj_opp. Qed.
Lemma recip_1 : @recip F 1 = one.
Proof. transitivity (inj 1 · @recip F 1); [rewrite inj_1; ring | apply recip_spec; lia]. Qed.
Lemma recip_mul m n : m <> 0 -> n <> 0 -> @recip F (m * n) = recip m · recip n.
Proof.
  intros Hm Hn. pose proof (recip_spec F m Hm) as M. pose proof (recip_spec F n Hn) as N.
  assert (B : @inj F (m * n) · recip (m * n) = one) by (apply recip_spec; lia). rewrite inj_mul in B.
  transitivity ((inj m · recip m) · (inj n · recip n) · @recip F (m * n)); [rewrite M, N; ring|].
  transitivity ((inj m · inj n · @recip F (m * n)) · (recip m · recip n)); [ring|]. rewrite B. ring.
Qed.
Lemma ratio_eq m n k l : n <> 0 -> l <> 0 -> m * l = k * n -> @inj F m · recip n = inj k · recip l.
Proof.
  intros Hn Hl E. transitivity (@inj F (m * l) · recip n · recip l).
  - rewrite inj_mul. transitivity (inj m · recip n · (inj l · @recip F l)); [rewrite recip_spec by auto|]; ring.
  - rewrite E, inj_mul. transitivity (inj k · recip l · (inj n · @recip F n)); [|rewrite recip_spec by auto]; ring.
Qed.
Lemma sum_idle lo hi (v : F) : 0 <= hi - lo + 1 -> sum (range lo hi) (fun _ => v) = inj (hi - lo + 1) · v.
Proof.
  intros H. unfold range. rewrite sum_map. rewrite <- (Z2Nat.id (hi - lo + 1)) at 2 by auto.
  generalize (Z.to_nat (hi - lo + 1)) 0%nat. induction n as [|n IH]; intros k; cbn [seq sum].
  - cbn [Z.of_nat]. rewrite inj_0. ring.
  - rewrite IH, Nat2Z.inj_succ. unfold Z.succ. rewrite inj_add, inj_1. ring.
Qed.
End Field.
