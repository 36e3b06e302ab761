From Coq Require Import QArith Qcanon.
From Symconv Require Import Taps.
Open Scope Qc_scope.
Definition ring_Qc : CRing := {| car := Qc; laws := Qcrt |}.
Lemma int_add m n : Q2Qc (inject_Z (m + n)) = Q2Qc (inject_Z m) + Q2Qc (inject_Z n).
Proof. apply Qc_is_canon. rewrite inject_Z_plus. unfold Qcplus, Q2Qc, this. now rewrite !Qred_correct. Qed.
Lemma int_mul m n : Q2Qc (inject_Z (m * n)) = Q2Qc (inject_Z m) * Q2Qc (inject_Z n).
Proof. apply Qc_is_canon. rewrite inject_Z_mult. unfold Qcmult, Q2Qc, this. now rewrite !Qred_correct. Qed.
Lemma int_inv n : (n <> 0)%Z -> Q2Qc (inject_Z n) * / Q2Qc (inject_Z n) = 1.
Proof.
  intros H. apply Qcmult_inv_r. intros E. apply (f_equal this) in E.
  assert (Q : inject_Z n == 0) by (rewrite <- (Qred_correct (inject_Z n)); unfold Q2Qc, this in E; now rewrite E).
  revert Q. unfold Qeq. cbn. lia.
Qed.
Definition field_Qc : CField := {| base := ring_Qc; inj n := Q2Qc (inject_Z n) : ring_Qc; recip n := / Q2Qc (inject_Z n) : ring_Qc;
  inj_1 := eq_refl; inj_add := int_add; inj_mul := int_mul; recip_spec := int_inv |}.
Definition leb (a b : Qc) : bool := Qle_bool a b.
Lemma leb_iff a b : leb a b = true <-> a <= b. Proof. apply Qle_bool_iff. Qed.
Definition order_Qc : Order Qc.
Proof.
  refine {| le := leb |}; intros; rewrite ?leb_iff in *.
  - apply Qcle_refl. - eapply Qcle_trans; eauto. - apply Qcle_antisym; auto.
  - destruct (Qclt_le_dec x y); [apply Qclt_le_weak in q; rewrite <- leb_iff in q; congruence | auto].
Defined.
Definition rationals : OField.
Proof.
  refine {| values := field_Qc; order_of := order_Qc; inverse x := / (x : Qc) |}; cbn.
  - discriminate.
  - intros a b c. rewrite !leb_iff. intros. apply Qcplus_le_compat; auto. apply Qcle_refl.
  - intros a b. rewrite !leb_iff. intros. rewrite <- (Qcmult_0_l b) at 1. apply Qcmult_le_compat_r; auto.
  - apply Qcmult_inv_r.
Defined.
Definition entries (k : Z) : rationals := nth (Z.to_nat k) [inj 1; inj 3; inj 2; inj 3] (inj 9).
Definition shown (w : Z -> rationals) : list Q := map (fun k => this (w k)) (range 0 3).
Goal shown (first_share rationals 4 entries) = [0; 1; 0; 0]%Q. Proof. vm_compute. reflexivity. Qed.
Goal shown (split_share rationals 4 entries) = [0; 1 # 2; 0; 1 # 2]%Q. Proof. vm_compute. reflexivity. Qed.
Goal this (maximum order_of (inj 7 : rationals) (range 0 3) entries) = 3%Q. Proof. vm_compute. reflexivity. Qed.
